"""Gateways of Gateway API and their routes as the configuration of a gateway's pods.

Source: istio/istio:pilot/pkg/config/kube/gateway/gateway_collection.go, route_collections.go:HTTPRouteCollection,mergeHTTPRoutes.
"""

from __future__ import annotations

from collections.abc import Iterable

from meshcheck.model.gateway_api import Gateway, Listener, Route
from meshcheck.model.istio_gateway import Gateway as IstioGateway
from meshcheck.model.istio_gateway import Server, ServerTls
from meshcheck.model.istio_networking import HttpRoute, L4Route, VirtualService
from meshcheck.model.record import replace
from meshcheck.semantics.gateway.servers import Bound
from meshcheck.semantics.gateway_api.attachment import Attached, attached
from meshcheck.semantics.gateway_api.classes import ENVOY_GATEWAY, ISTIO, controller_of
from meshcheck.semantics.gateway_api.conversion import convert, precedence, tcp_destinations
from meshcheck.semantics.gateway_api.listeners import Member, members_of
from meshcheck.semantics.routing.selection import exactness, host_covers
from meshcheck.semantics.world.world import World


def servers_of(world: World, gateway: Gateway) -> list[tuple[Member, Bound]]:
    """The usable listeners of a Gateway as servers of a proxy."""
    out = []
    for member in members_of(world, gateway):
        if member.refused is None and member.listener.protocol != "UDP":
            server = _server(member)
            out.append((member, Bound(IstioGateway(member.owner, {}, (server,)), server, member.name)))
    return out


def _server(member: Member) -> Server:
    listener = member.listener
    return Server(
        port=listener.port,
        name=listener.name,
        protocol=listener.protocol,
        bind="",
        hosts=(listener.hostname or "*",),
        tls=_tls(listener),
        field=listener.field,
    )


def _tls(listener: Listener) -> ServerTls | None:
    if listener.protocol not in ("HTTPS", "TLS"):
        return None
    names = tuple(f"kubernetes-gateway://{ref.namespace}/{ref.name}" for ref in listener.certificates)
    return ServerTls("PASSTHROUGH" if listener.tls_mode == "Passthrough" else "SIMPLE", False, names, False)


def virtual_services(world: World, gateway: Gateway) -> dict[str, list[VirtualService]]:
    """The routes of each listener as VirtualServices, one for each host, the oldest first."""
    return world.once(("routes of", gateway.meta.ref), lambda: _virtual_services(world, gateway))


def _virtual_services(world: World, gateway: Gateway) -> dict[str, list[VirtualService]]:
    members = [m for m in members_of(world, gateway) if m.refused is None]
    out: dict[str, list[VirtualService]] = {}
    for member in members:
        banned = _more_specific(member, members)
        by_host: dict[str, list[Attached]] = {}
        for item in attached(world, member)[0]:
            for name in item.route.hostnames or ("",):
                if not any(host_covers(other, name or "*") for other in banned):
                    by_host.setdefault(name or "*", []).append(item)
        found = [_merged(world, member, host, items) for host, items in by_host.items()]
        out[member.name] = sorted(found, key=lambda v: (v.meta.created or "9999", v.hosts))
    return out


def _more_specific(member: Member, members: Iterable[Member]) -> list[str]:
    """Hosts that belong to other listeners of the port, because they name them more exactly."""
    own = member.listener.hostname
    if own and not own.startswith("*"):
        return []
    return [
        other.listener.hostname
        for other in members
        if other is not member
        and other.listener.port == member.listener.port
        and other.listener.protocol == member.listener.protocol
        and exactness(other.listener.hostname) > exactness(own)
    ]


def why_broken(world: World, gateway: Gateway, route: Route) -> str | None:
    """Why a gateway drops the whole of a route."""
    if route.kind not in ("HTTPRoute", "GRPCRoute"):
        return None
    controller = controller_of(world, gateway)
    return convert(world, route, istio=controller == ISTIO, envoy=controller == ENVOY_GATEWAY).broken


def _merged(world: World, member: Member, host: str, items: list[Attached]) -> VirtualService:
    """All routes of one host on one listener, in order of precedence."""
    controller = controller_of(world, member.gateway)
    istio, envoy = controller == ISTIO, controller == ENVOY_GATEWAY
    http: list[tuple[HttpRoute, Attached]] = []
    l4: list[L4Route] = []
    for item in items:
        if item.route.kind in ("HTTPRoute", "GRPCRoute"):
            http += [(replace(route, owner=item.route.meta), item) for route in convert(world, item.route, istio=istio, envoy=envoy).routes]
        else:
            for rule in item.route.rules:
                match = {"sniHosts": [host]} if item.route.kind == "TLSRoute" else {}
                l4.append(L4Route((match,), tcp_destinations(world, item.route, rule), rule.field, item.route.meta))
    http.sort(key=lambda pair: precedence(pair[0], envoy))  # stable: older routes and earlier rules stay in front
    first = items[0].route
    tls = tuple(l4) if first.kind == "TLSRoute" else ()
    return VirtualService(first.meta, (host,), (member.name,), (), tuple(route for route, _ in http), () if tls else tuple(l4[:1]), tls)
