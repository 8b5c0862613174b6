"""Which address the policies of a workload see as the caller's, as far as what stands before it is in the input."""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.entrances import entrances
from meshcheck.lint.evidence import Evidence
from meshcheck.lint.selection import applies_to
from meshcheck.model.core import Service, Workload
from meshcheck.model.istio_security import AuthorizationPolicy, Field, Rule
from meshcheck.model.mesh_config import Topology
from meshcheck.semantics.entry.ways import Way
from meshcheck.semantics.gateway.pods import is_gateway
from meshcheck.semantics.world.sidecars import sidecar_of

PEER = frozenset(["ipBlocks", "source.ip"])
"""Fields that look at the other end of the connection."""
CLIENT = frozenset(["remoteIpBlocks", "remote.ip"])
"""Fields that look at the original client's address."""
_KEEPS = ("nlb-target-type", "aws-load-balancer-type")


def address_fields(evidence: Evidence, names: frozenset[str]) -> Iterator[tuple[AuthorizationPolicy, Rule, tuple[Field, ...], Field]]:
    """(policy, rule, the fields that must hold together with it, field) of enforced policies."""
    for policy in evidence.of("AuthorizationPolicy"):
        for rule in policy.rules if not policy.dry_run else ():
            for group in (*rule.sources, rule.conditions):
                for field in group:
                    if field.name in names:
                        yield policy, rule, (*group, *rule.conditions), field


def enforcing(evidence: Evidence, policy: AuthorizationPolicy, *, gateways: bool) -> Iterator[Workload]:
    """Gateways, or workloads with a sidecar, that a policy applies to."""
    for workload in applies_to(evidence, policy):
        if is_gateway(workload) == gateways and (gateways or sidecar_of(evidence.world, workload).present):
            yield workload


def ways_through_proxies(evidence: Evidence) -> dict[tuple[str | None, str | None], Way]:
    """(namespace, workload) → a way from outside on which a gateway or an ingress controller stands before it."""

    def find() -> dict[tuple[str | None, str | None], Way]:
        out: dict[tuple[str | None, str | None], Way] = {}
        for way, answer in entrances(evidence):
            if answer.reached is not None and len(answer.hops) > 1:
                out.setdefault((answer.reached.namespace, answer.reached.workload), way)
        return out

    return evidence.once("ways through proxies", find)


def hiding_service(evidence: Evidence, workload: Workload) -> Service | None:
    """A Service that puts a node's address in place of the client's: open to the outside, with externalTrafficPolicy Cluster.

    A network load balancer of AWS that has the pods themselves as its targets keeps the address whatever the Service says.
    Sources: Kubernetes, externalTrafficPolicy; kubernetes-sigs/aws-load-balancer-controller:docs/guide/service/annotations.md.
    """
    for service in evidence.world.services_of(workload):
        notes = service.meta.annotations
        if service.kind in ("LoadBalancer", "NodePort") and not service.keeps_client_address:
            direct = any(key.endswith(_KEEPS) and value in ("ip", "nlb-ip", "external") for key, value in notes.items())
            if not direct:
                return service
    return None


def topology_of(evidence: Evidence, workload: Workload) -> Topology:
    """What a gateway was told about the proxies before it."""
    mesh = evidence.world.mesh
    return (mesh.pod_topologies or {}).get(workload.pod_annotations.get("proxy.istio.io/config", ""), mesh.topology)
