"""How a client's proxy talks to the server: DestinationRules and automatic mTLS.

Sources: istio/istio:pilot/pkg/networking/core/cluster_tls.go:buildUpstreamTLSSettings; pilot/pkg/model/push_context.go:destinationRule,
BestEffortInferServiceMTLSMode; pilot/pkg/xds/endpoints/mtls_checker.go, endpoint_builder.go:supportTunnel.
"""

from __future__ import annotations

from collections.abc import Mapping

from meshcheck.model.core import Service, Workload
from meshcheck.model.istio_networking import DestinationRule, Subset
from meshcheck.model.objects import Path
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.ambient.capture import HBONE_PORT, receives_through, sidecar_takes_hbone
from meshcheck.semantics.attachment import selects
from meshcheck.semantics.authentication import peer
from meshcheck.semantics.routing.selection import full_name, host_covers, is_exported
from meshcheck.semantics.tracing.server import peer_mode
from meshcheck.semantics.world.sidecars import sidecar_of
from meshcheck.semantics.world.world import World


class Rules(NamedTuple):
    """The DestinationRules that count for a host and a client: their merged policy and subsets."""

    rules: tuple[DestinationRule, ...]

    def subset(self, name: str) -> tuple[DestinationRule, Subset] | None:
        """A subset by name; of several definitions the first."""
        return next(((rule, s) for rule in self.rules for s in rule.subsets if s.name == name), None)

    def mode(self, port: int, subset: Subset | None) -> tuple[str | None, DestinationRule | None, Path]:
        """(TLS mode, who sets it, where); None when nothing is said, so that automatic mTLS decides."""
        for rule in self.rules:
            if rule.policy is not None:
                found, field = (
                    (rule.policy.ports[port], (*rule.policy.field, "portLevelSettings"))
                    if port in rule.policy.ports
                    else (rule.policy.tls, (*rule.policy.field, "tls"))
                )
                break
        else:
            rule, found, field = None, None, ()
        if subset is not None and subset.policy is not None:
            owner = next((r for r in self.rules if subset in r.subsets), rule)
            if port in subset.policy.ports:
                return subset.policy.ports[port], owner, (*subset.policy.field, "portLevelSettings")
            if subset.policy.tls is not None:
                return subset.policy.tls, owner, (*subset.policy.field, "tls")
        return found, rule, field


def rules_for(world: World, host: str, owner: str, client_namespace: str, client_labels: Mapping[str, str]) -> Rules:
    """The rules for a host: the client's namespace first, then the service's, then the root; the most specific host wins."""
    key = ("destination rules", host, owner, client_namespace, tuple(sorted(client_labels.items())) if _any_selector(world) else ())
    return world.once(key, lambda: _rules_for(world, host, owner, client_namespace, client_labels))


def _any_selector(world: World) -> bool:
    return world.index("rules with selectors", lambda: any(r.workload_selector is not None for r in world.inventory.of("DestinationRule")))


def _rules_for(world: World, host: str, owner: str, client_namespace: str, client_labels: Mapping[str, str]) -> Rules:
    root = world.mesh.root_namespace
    by_namespace: dict[str, list[DestinationRule]] = world.index("rules by namespace", lambda: _group(world))
    for n, level in enumerate(dict.fromkeys((client_namespace, owner, root))):
        found = []
        world.note("DestinationRule", level)
        for rule in by_namespace.get(level, ()):
            export_to = rule.export_to or world.mesh.destination_rule_export_to
            visible = is_exported(export_to, level, client_namespace)
            if n == 0 and client_namespace == root:
                visible = export_to == (".",) or owner == root
            if visible and host_covers(full_name(rule.host, level), host):
                found.append(rule)
        selected = [
            r
            for r in found
            if r.workload_selector is not None and level == client_namespace and selects(r.workload_selector, client_labels)
        ]
        found = selected or [r for r in found if r.workload_selector is None]
        if found:
            longest = max(len(full_name(r.host, level)) for r in found)
            return Rules(
                tuple(
                    sorted(
                        (r for r in found if len(full_name(r.host, level)) == longest),
                        key=lambda r: (r.meta.created or "9999", r.meta.name),
                    )
                )
            )
    return Rules(())


def _group(world: World) -> dict[str, list[DestinationRule]]:
    out: dict[str, list[DestinationRule]] = {}
    for rule in world.inventory.of("DestinationRule"):
        out.setdefault(rule.meta.namespace, []).append(rule)
    return out


class Transport(NamedTuple):
    """`kind` is plaintext, mtls, tls or hbone; `why` in words; `rule` and `field` when a DestinationRule says so.

    `tls_inside`: TLS that a DestinationRule asks for goes through the tunnel to the application.
    """

    kind: str
    why: str
    rule: DestinationRule | None = None
    field: Path = ()
    tls_inside: bool = False


_SERVER_TLS = {"SIMPLE": "tls", "MUTUAL": "tls", "ISTIO_MUTUAL": "mtls", "DISABLE": "plaintext"}


def transport_to(
    world: World, service: Service, server: Workload, target_port: int, service_port: int, rules: Rules, subset: Subset | None,
    *, gateway: bool = False,
) -> Transport:  # fmt: skip
    """How a client's proxy, a `gateway` or a sidecar, talks to one pod of a Service."""
    mode, rule, field = rules.mode(service_port, subset)
    if receives_through(world, server) and (gateway or not service.headless):
        return _tunnel(server, mode, rule, field)
    if mode is not None and rule is not None:
        return Transport(_SERVER_TLS.get(mode, "plaintext"), f"DestinationRule {rule.meta.namespace}/{rule.meta.name}: {mode}", rule, field)
    if not world.mesh.auto_mtls:
        return Transport("plaintext", "automatic mTLS is off")
    namespace, root = service.namespace, world.mesh.root_namespace
    general = world.once(("service mode", namespace), lambda: peer.service_mode(world.peer_authentications(namespace), namespace, root))
    if general.mode == "DISABLE":
        return Transport("plaintext", f"PeerAuthentication {_name(general)} says DISABLE for the namespace")
    if service.headless and any(sidecar_of(world, pod).present is False for pod in world.pods_of(service)):
        return Transport("plaintext", "headless Service with a pod that has no sidecar: plaintext to all")
    if sidecar_of(world, server).present is False:
        return Transport("plaintext", "the server has no sidecar")
    own = peer_mode(world, server, target_port)
    if own.mode == "DISABLE":
        return Transport("plaintext", f"PeerAuthentication {_name(own)} says DISABLE for the port")
    return Transport("mtls", "automatic mTLS")


def from_waypoint(world: World, server: Workload, service_port: int, rules: Rules, subset: Subset | None) -> list[Transport]:
    """How a waypoint talks to a pod of a Service that is its own: HBONE or nothing, never mTLS; two answers where that is not known.

    Source: istio/istio:pilot/pkg/networking/core/cluster_waypoint.go:buildWaypointInboundVIPCluster; endpoint_builder.go.
    """
    mode, rule, field = rules.mode(service_port, subset)
    inside = rule is not None and mode in ("SIMPLE", "MUTUAL")
    words = f"; TLS for the application ({mode})" if inside else ""
    speaks: bool | None = receives_through(world, server)
    if not speaks and sidecar_of(world, server).present:
        speaks = sidecar_takes_hbone(world, server)
    out = []
    for hbone in (True, False) if speaks is None else (speaks,):
        kind = "hbone" if hbone else "tls" if inside else "plaintext"
        how = (
            f"HBONE to port {HBONE_PORT} of {server}, with the waypoint's identity" if hbone else f"plaintext: {server} does not take HBONE"
        )
        out.append(Transport(kind, how + words, rule if inside else None, field if inside else (), inside and hbone))
    return out


def _tunnel(server: Workload, mode: str | None, rule: DestinationRule | None, field: Path) -> Transport:
    """HBONE goes before mTLS and plaintext, whatever is asked for; other TLS goes through it.

    Source: istio/istio:pilot/pkg/networking/core/cluster_tls.go:applyHBONETransportSocketMatches.
    """
    why = f"HBONE to port {HBONE_PORT} of {server}, which ztunnel has captured"
    if rule is not None and mode in ("SIMPLE", "MUTUAL"):
        return Transport("hbone", f"{why}; inside it {mode} (DestinationRule {rule.meta.namespace}/{rule.meta.name})", rule, field, True)
    return Transport("hbone", why)


def _name(mode: peer.Mode) -> str:
    return f"{mode.policy.meta.namespace}/{mode.policy.meta.name}" if mode.policy else ""
