"""Which routes a listener has, and why others are not attached.

Source: kubernetes-sigs/gateway-api:apis/v1/shared_types.go, httproute_types.go (hostnames).
"""

from __future__ import annotations

from meshcheck.model.gateway_api import GROUP, ParentRef, Route
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.gateway_api.listeners import Member, kinds_of, namespace_allowed
from meshcheck.semantics.world.world import World

KINDS = ("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute")


class Attached(NamedTuple):
    """A route on a listener, with those of its hostnames that the listener has; `("",)` for all hosts."""

    route: Route
    parent: ParentRef
    hostnames: tuple[str, ...]


class Unattached(NamedTuple):
    """A route that names a listener and is not attached to it."""

    route: Route
    parent: ParentRef
    why: str


def routes_of(world: World) -> dict[tuple[str, str, str], list[tuple[Route, ParentRef]]]:
    """Routes by the (kind, namespace, name) of each parent."""

    def make() -> dict[tuple[str, str, str], list[tuple[Route, ParentRef]]]:
        out: dict[tuple[str, str, str], list[tuple[Route, ParentRef]]] = {}
        for kind in KINDS:
            for route in world.inventory.of(kind):
                for parent in route.parents:
                    out.setdefault((parent.kind, parent.namespace, parent.name), []).append((route, parent))
        return out

    return world.once("routes by parent", make)


def attached(world: World, member: Member) -> tuple[list[Attached], list[Unattached]]:
    """The routes of a listener, the oldest first, and those that want to be there and are not."""
    return world.once(("attached", member.name), lambda: _attached(world, member))


def _attached(world: World, member: Member) -> tuple[list[Attached], list[Unattached]]:
    found: list[Attached] = []
    others: list[Unattached] = []
    kind = "ListenerSet" if member.owner.ref.kind.endswith("ListenerSet") else "Gateway"
    for route, parent in routes_of(world).get((kind, member.owner.namespace, member.owner.name), ()):
        if parent.group not in (GROUP, "gateway.networking.x-k8s.io"):
            continue
        why = _refusal(world, member, route, parent)
        if why is None:
            shared = hostnames(member.listener.hostname, route.hostnames)
            if shared:
                found.append(Attached(route, parent, shared))
                continue
            names = ", ".join(route.hostnames)
            why = f"none of its hostnames ({names}) is one of listener {member.listener.name} ({member.listener.hostname})"
        others.append(Unattached(route, parent, why))
    found.sort(key=lambda item: item.route.age)
    return _one_kind_a_host(found, others), others


def _refusal(world: World, member: Member, route: Route, parent: ParentRef) -> str | None:
    listener = member.listener
    if parent.section is not None and parent.section != listener.name:
        return f"its parentRef names sectionName {parent.section}"
    if parent.port is not None and parent.port != listener.port:
        return f"its parentRef names port {parent.port}"
    if route.kind not in kinds_of(listener):
        return f"listener {listener.name} ({listener.protocol}) takes no {route.kind}"
    if not namespace_allowed(world, listener.namespaces, listener.selector, member.owner.namespace, route.meta.namespace):
        return (
            f"allowedRoutes of listener {listener.name} admits no routes of namespace {route.meta.namespace} (from: {listener.namespaces})"
        )
    return None


def hostnames(listener: str, route: tuple[str, ...]) -> tuple[str, ...]:
    """The hosts that a route has on a listener: the narrower of each pair; `("",)` when neither names any."""
    if not route:
        return (listener,)
    if not listener:
        return route
    out = []
    for name in route:
        if name == listener or (listener.startswith("*.") and name.endswith(listener[1:]) and len(name) >= len(listener)):
            out.append(name)
        elif name.startswith("*.") and listener.endswith(name[1:]):
            out.append(listener)
    return tuple(dict.fromkeys(out))


def _one_kind_a_host(found: list[Attached], others: list[Unattached]) -> list[Attached]:
    """Of HTTPRoutes and GRPCRoutes with one hostname on one listener only the kind of the oldest is accepted."""
    if len({item.route.kind for item in found} & {"HTTPRoute", "GRPCRoute"}) < 2:
        return found
    owner: dict[str, str] = {}
    out = []
    for item in found:
        lost = [name for name in item.hostnames if owner.setdefault(name, item.route.kind) != item.route.kind]
        if lost and item.route.kind in ("HTTPRoute", "GRPCRoute"):
            why = f"an older route of another kind ({owner[lost[0]]}) has hostname `{lost[0] or '*'}`"
            others.append(Unattached(item.route, item.parent, why))
        else:
            out.append(item)
    return out
