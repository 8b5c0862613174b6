"""What the gateways of Istio are configured with: their pods, and the Services to which their routes lead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.proxies import proxies
from meshcheck.model.core import Service, ServicePort, Workload
from meshcheck.model.istio_gateway import Gateway as IstioGateway
from meshcheck.model.istio_networking import Destination, VirtualService
from meshcheck.model.objects import Meta
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.entry.config import Config, config_of
from meshcheck.semantics.gateway.pods import is_gateway
from meshcheck.semantics.gateway.servers import Bound
from meshcheck.semantics.gateway.virtual_hosts import shared_hosts
from meshcheck.semantics.routing.selection import full_name
from meshcheck.semantics.world.hosts import Named, look_up


class Leg(NamedTuple):
    """A route of a gateway to a port of a Service. `owner` holds the route, at `destination.field`."""

    gateway: Workload
    owner: Meta
    destination: Destination
    service: Service
    port: ServicePort


def gateways(evidence: Evidence) -> tuple[Workload, ...]:
    """The pods of gateways; where they are not in the input, what stands for them."""
    return evidence.once("gateway proxies", lambda: tuple(w for w in proxies(evidence) if w.meta.origin is None or is_gateway(w)))


def has_known_account(evidence: Evidence, gateway: Workload) -> bool:
    """Whether the account of a gateway's pods is known: they are in the input, or istiod makes them for a Gateway of Gateway API."""
    return gateway.meta.origin is not None or any(label.startswith("gateway.networking.k8s.io/") for label in gateway.pod_labels)


def gateways_by_name(evidence: Evidence) -> dict[str, IstioGateway]:
    """Istio's Gateways by NAMESPACE/NAME."""
    return evidence.once("gateways by name", lambda: {f"{g.meta.namespace}/{g.meta.name}": g for g in evidence.of("IstioGateway")})


def legs(evidence: Evidence) -> tuple[Leg, ...]:
    """All routes of all gateways to Services; each Service port of a VirtualService or route once for each gateway."""
    return evidence.once("legs of gateways", lambda: tuple(_unique(_legs(evidence))))


def destination_of(evidence: Evidence, owner: Meta, destination: Destination, namespace: str | None = None) -> Named:
    """What a destination names. `namespace` of the proxy that looks it up; that of the route where all see the same."""
    return look_up(evidence.world, full_name(destination.host, owner.namespace), namespace or owner.namespace)


def _unique(found: Iterable[Leg]) -> Iterator[Leg]:
    seen = set()
    for leg in found:
        key = id(leg.gateway), leg.owner.ref, leg.service.meta.ref, leg.port.number
        if key not in seen:
            seen.add(key)
            yield leg


def _legs(evidence: Evidence) -> Iterator[Leg]:
    for gateway in gateways(evidence):
        config = config_of(evidence.world, gateway)
        for bound in _servers(config):
            for virtual in config.visible(bound.gateway_name):
                if shared_hosts(bound.server.hosts, virtual):
                    yield from _of_routes(evidence, gateway, bound, virtual)


def _servers(config: Config) -> Iterator[Bound]:
    for port in config.ports.values():
        yield from (*port.plain, *port.tls)


def _of_routes(evidence: Evidence, gateway: Workload, bound: Bound, virtual: VirtualService) -> Iterator[Leg]:
    http = bound.is_plain_http or bound.terminates_http
    for route in virtual.http if http else (*virtual.tcp, *virtual.tls):
        owner = route.owner or virtual.meta
        for destination in route.destinations:
            service = destination_of(evidence, owner, destination, gateway.namespace).service
            port = _port(service, destination, bound.server.port) if service is not None else None
            live = destination.weight or len(route.destinations) == 1
            if service is not None and port is not None and destination.broken is None and live:
                yield Leg(gateway, owner, destination, service, port)


def _port(service: Service, destination: Destination, listener: int) -> ServicePort | None:
    """The port that a destination means: its own, the only one, or the one with the listener's number."""
    if destination.port is None and len(service.ports) == 1:
        return service.ports[0]
    wanted = destination.port or listener
    return next((p for p in service.ports if p.number == wanted and p.protocol == "TCP"), None)
