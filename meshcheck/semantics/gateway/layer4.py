"""Which TCP and TLS routes are for a server.

Source: istio/istio:pilot/pkg/networking/core/gateway.go:buildGatewayNetworkFiltersFromTCPRoutes,l4SingleMatch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from meshcheck.model.istio_networking import L4Route, VirtualService
from meshcheck.model.objects import Meta
from meshcheck.semantics.gateway.servers import Bound
from meshcheck.semantics.routing.selection import host_covers

Found = tuple[Meta, L4Route]
"""The object that holds a route, and the route."""


def tcp_route(bound: Bound, visible: Iterable[VirtualService]) -> Found | None:
    """The route of a server that hands on what it reads; of TLS that ends here, too."""
    for virtual in visible:
        for route in (*virtual.tcp, *(virtual.tls if bound.server.tls is not None else ())) if has_host(bound, virtual) else ():
            if not route.matches or any(is_for(match, bound) for match in route.matches):
                return route.owner or virtual.meta, route
    return None


def tls_route(bound: Bound, visible: Iterable[VirtualService], sni: str) -> Found | None:
    """The route for a server name of TLS that is passed through: the longest name wins."""
    best: tuple[int, Found] | None = None
    for virtual in visible:
        for route in virtual.tls if has_host(bound, virtual) else ():
            for match in route.matches:
                for host in (h.lower() for h in match.get("sniHosts") or ()):
                    covers = host in (sni, "*") or (host.startswith("*") and sni.endswith(host[1:]))
                    if covers and is_for(match, bound) and (best is None or len(host) > best[0]):
                        best = len(host), (route.owner or virtual.meta, route)
    return best[1] if best is not None else None


def has_host(bound: Bound, virtual: VirtualService) -> bool:
    """Whether a VirtualService has a host of a server."""
    for text in bound.server.hosts:
        namespace, slash, host = text.rpartition("/")
        if slash and namespace != virtual.meta.namespace:
            continue
        if any(host_covers(host, h.lower()) or host_covers(h.lower(), host) for h in virtual.hosts):
            return True
    return False


def is_for(match: Mapping[str, object], bound: Bound) -> bool:
    """Whether a TCP or TLS match is for this server. Source: istio/istio:pilot/pkg/networking/core/gateway.go:l4SingleMatch."""
    gateways = match.get("gateways")
    if match.get("port") not in (None, 0, bound.server.port):
        return False
    return not gateways or (isinstance(gateways, list) and bound.gateway_name in gateways)
