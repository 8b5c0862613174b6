"""What the pods of a gateway of Istio are configured with: Istio's own kinds and Gateway API, merged.

Source: istio/istio:pilot/pkg/model/gateway.go:mergeGateways.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from meshcheck.model.core import Workload
from meshcheck.model.gateway_api import Gateway
from meshcheck.model.istio_networking import VirtualService
from meshcheck.model.objects import Meta
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.attachment import GATEWAY_NAME
from meshcheck.semantics.envoy_gateway.attachment import Place
from meshcheck.semantics.gateway.pods import gateways_of
from meshcheck.semantics.gateway.servers import Bound, Port, resolved_port
from meshcheck.semantics.gateway.virtual_services import by_gateway
from meshcheck.semantics.gateway_api.attachment import attached
from meshcheck.semantics.gateway_api.classes import ENVOY_GATEWAY, ISTIO, controller_of
from meshcheck.semantics.gateway_api.config import servers_of, virtual_services, why_broken
from meshcheck.semantics.gateway_api.listeners import members_of
from meshcheck.semantics.tracing.server import target_number
from meshcheck.semantics.world.world import World


class Config(NamedTuple):
    """What a gateway's pods are configured with."""

    ports: Mapping[int, Port]
    """By port of the pod."""
    visible: Callable[[str], Sequence[VirtualService]]
    """The VirtualServices on a Gateway or listener, in Istio's order."""
    key: object
    """Tells this configuration from others."""
    mesh: bool = True
    """The proxy is one of Istio's: its policies apply, and it speaks mTLS to sidecars."""
    unattached: Callable[[str], Sequence[tuple[Meta, str]]] = lambda _: ()
    """Routes that name a listener and are not on it, and why, by the listener's name."""
    place: Callable[[str], Place | None] = lambda _: None
    """Where a listener is, by its name: for the policies of Envoy Gateway; the route is filled in later."""


def config_of(world: World, workload: Workload) -> Config:
    """What a gateway's pods are configured with."""
    return world.once(("gateway config", id(workload)), lambda: _config(world, workload))


def _config(world: World, workload: Workload) -> Config:
    found: list[tuple[tuple[str, str, str], int, Bound]] = []
    for classic in gateways_of(world, workload):
        age = (classic.meta.created or "9999", classic.meta.name, classic.meta.namespace)
        found += [(age, resolved_port(world, workload, server.port), Bound(classic, server)) for server in classic.servers]
    routes: dict[str, Sequence[VirtualService]] = dict(by_gateway(world, workload.namespace))
    reasons: dict[str, Sequence[tuple[Meta, str]]] = {}
    for gateway in api_gateways_of(world, workload):
        age = (gateway.meta.created or "9999", gateway.meta.name, gateway.meta.namespace)
        for _, bound in servers_of(world, gateway):
            found += [(age, number, bound) for number in _pod_ports(world, workload, gateway, bound.server.port)]
        reasons.update(_unattached(world, gateway))
        for name, virtual in virtual_services(world, gateway).items():
            own = workload.namespace
            routes[name] = sorted(virtual, key=lambda v: v.meta.namespace != own)  # routes of the gateway's own namespace go first
    ports: dict[int, Port] = {}
    for _, number, bound in sorted(found, key=lambda item: item[0]):
        ports.setdefault(number, Port()).add(bound)
    return Config(ports, lambda name: routes.get(name, ()), ("pods", id(workload)), True, lambda name: reasons.get(name, ()))


def _unattached(world: World, gateway: Gateway) -> dict[str, Sequence[tuple[Meta, str]]]:
    """Why routes that name a listener are not on it, or of no use there."""
    out: dict[str, Sequence[tuple[Meta, str]]] = {}
    for member in members_of(world, gateway):
        on, others = attached(world, member)
        broken = [(item.route.meta, why) for item in on if (why := why_broken(world, gateway, item.route)) is not None]
        out[member.name] = [*broken, *((item.route.meta, item.why) for item in others)]
    return out


def api_config(world: World, gateway: Gateway) -> Config:
    """The configuration that a controller other than Istio makes of a Gateway; its listeners' ports are the pods' own."""

    def make() -> Config:
        ports: dict[int, Port] = {}
        for _, bound in servers_of(world, gateway):
            ports.setdefault(bound.server.port, Port()).add(bound)
        routes = virtual_services(world, gateway)
        reasons = _unattached(world, gateway)
        places: dict[str, Place] = {}
        if controller_of(world, gateway) == ENVOY_GATEWAY:
            places = {m.name: Place(gateway.meta, m.owner, m.listener.name, gateway.meta, "") for m in members_of(world, gateway)}
        return Config(
            ports, lambda name: routes.get(name, ()), ("gateway", gateway.meta.ref), False, lambda name: reasons.get(name, ()), places.get
        )

    return world.once(("gateway api config", gateway.meta.ref), make)


def api_gateways_of(world: World, workload: Workload) -> list[Gateway]:
    """The Gateways of Gateway API that a gateway's pods serve: they name its Service, or istiod made the pods for them."""
    own = {(s.namespace, s.name) for s in world.services_of(workload)}
    out = []
    for gateway in world.inventory.of("Gateway"):
        if controller_of(world, gateway) != ISTIO:
            continue
        services = services_of(gateway)
        made = (gateway.meta.namespace, gateway.meta.name) == (workload.namespace, workload.pod_labels.get(GATEWAY_NAME))
        if own & set(services) or (made and not _names_services(gateway)):
            out.append(gateway)
    return out


def _names_services(gateway: Gateway) -> bool:
    return any(kind == "Hostname" for kind, _ in gateway.addresses)


def services_of(gateway: Gateway) -> list[tuple[str, str]]:
    """The Services (namespace, name) of a Gateway's pods: those that its addresses name, else the one that istiod makes.

    Source: istio/istio:pilot/pkg/config/kube/gateway/conversion.go:extractGatewayServices.
    """
    named = []
    for kind, value in gateway.addresses:
        if kind == "Hostname":
            name, _, rest = value.partition(".")
            named.append((rest.partition(".")[0] or gateway.meta.namespace, name))
    return named or [(gateway.meta.namespace, f"{gateway.meta.name}-{gateway.class_name}")]


def _pod_ports(world: World, workload: Workload, gateway: Gateway, number: int) -> list[int]:
    """The pod's ports for a listener's port, by the Gateway's Services; where istiod makes the Service, the port itself."""
    names = set(services_of(gateway))
    services = [s for s in world.services_of(workload) if (s.namespace, s.name) in names]
    if not services:
        return [number]
    targets = [target_number(p, workload) for s in services for p in s.ports if p.number == number and p.protocol == "TCP"]
    return sorted({t for t in targets if t is not None})
