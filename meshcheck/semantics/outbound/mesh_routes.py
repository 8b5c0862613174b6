"""Routes of Gateway API whose parent is a Service: they route calls inside the mesh.

Source: kubernetes-sigs/gateway-api:geps/gep-1294 (producer and consumer routes), geps/gep-1324.
"""

from __future__ import annotations

from meshcheck.model.core import Service
from meshcheck.model.gateway_api import GROUP, Route
from meshcheck.model.istio_networking import HttpMatch, HttpRoute
from meshcheck.model.record import replace
from meshcheck.semantics.gateway_api.attachment import routes_of
from meshcheck.semantics.gateway_api.conversion import convert, precedence
from meshcheck.semantics.routing.match import RouteRequest, first_failure
from meshcheck.semantics.world.world import World

_MESH_LABELS = ("istio-injection", "istio.io/rev", "istio.io/dataplane-mode", "linkerd.io/inject")


def shows_mesh(world: World) -> bool:
    """Whether the input shows which mesh there is: only then is it known which callers' calls the routes are for."""

    def find() -> bool:
        return any(label in n.labels for n in world.namespaces.values() for label in _MESH_LABELS) or any(
            "istio-proxy" in w.containers or "linkerd-proxy" in w.containers for w in world.workloads
        )

    return world.once("shows mesh", find)


def routes_for(world: World, service: Service, port: int, client_namespace: str) -> tuple[HttpRoute, ...] | None:
    """The routes that a caller's proxy has for a Service port, in their order; None when there are none.

    Routes of the caller's own namespace (consumer) go before those of the Service's (producer); others are for other callers.
    """
    for namespace in dict.fromkeys((client_namespace, service.namespace)):
        if found := routes_in(world, service, port, (namespace,)):
            return found
    return None


def routes_in(world: World, service: Service, port: int, namespaces: tuple[str, ...]) -> tuple[HttpRoute, ...]:
    """The routes of some namespaces on a Service port, in their order."""
    found = routes_of(world).get(("Service", service.namespace, service.name), ())
    chosen: list[Route] = [
        route
        for route, parent in found
        if route.kind in ("HTTPRoute", "GRPCRoute")
        and route.meta.namespace in namespaces
        and parent.group in ("", GROUP)
        and parent.port in (None, port)
        and parent.section in (None, *(p.name for p in service.ports if p.number == port))
    ]
    routes = [
        replace(rule, owner=route.meta)
        for route in sorted(chosen, key=lambda r: r.age)
        for rule in convert(world, route, in_mesh=True).routes
    ]
    return tuple(sorted(routes, key=precedence))


def choose(routes: tuple[HttpRoute, ...], request: RouteRequest) -> tuple[HttpRoute | None, HttpMatch | None]:
    """The first route with a match."""
    for route in routes:
        for match in route.matches:
            if first_failure(match, request) is None:
                return route, match
    return None, None
