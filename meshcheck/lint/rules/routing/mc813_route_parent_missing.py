"""A route of Gateway API names a parent, or a listener of it, that does not exist.

## Finds

`parentRefs` of HTTPRoute, GRPCRoute, TLSRoute, TCPRoute and UDPRoute that name no Gateway, ListenerSet or Service, or a `sectionName` or
`port` that no listener of the Gateway has.

## Why it matters

The route is attached to nothing: callers get 404. A parent without `namespace` means the namespace of the route.

## Avoid

```yaml
kind: HTTPRoute
metadata: {namespace: shop}
spec: {parentRefs: [{name: public, sectionName: htpps}]}
```

## Prefer

```yaml
spec: {parentRefs: [{name: public, namespace: infra, sectionName: https}]}
```

## Exceptions

Gateways that another team keeps in another repository.

## Silent when

The world is open: the parent may be in another file. Parents of other kinds.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.object_names import meant
from meshcheck.lint.proxies import listed
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.gateway_api import GROUP, Gateway, ListenerSet, ParentRef, Route
from meshcheck.semantics.gateway_api.attachment import KINDS
from meshcheck.semantics.world.names import nearest

_PARENTS = {"Gateway": "Gateway", "ListenerSet": "ListenerSet", "XListenerSet": "ListenerSet", "Service": "Service"}
_GROUPS = (GROUP, "gateway.networking.x-k8s.io", "")


@rule("MC813", "route-parent-missing", severity="error", needs="absence", kinds=("Gateway", "ListenerSet", "Service"))
def check(evidence: Evidence) -> Iterator[Found]:
    """Parents that do not exist."""
    for kind in KINDS:
        for route in evidence.of(kind):
            for parent in route.parents:
                if parent.kind in _PARENTS and parent.group in _GROUPS:
                    yield from _judged(evidence, route, parent)


def _judged(evidence: Evidence, route: Route, parent: ParentRef) -> Iterator[Found]:
    every = evidence.of(_PARENTS[parent.kind])
    item = next((p for p in every if (p.meta.namespace, p.meta.name) == (parent.namespace, parent.name)), None)
    if item is None:
        hint = meant(parent.namespace, parent.name, ((p.meta.namespace, p.meta.name) for p in every))
        if parent.kind == "Gateway" and any(
            (g.meta.namespace, g.meta.name) == (parent.namespace, parent.name) for g in evidence.of("IstioGateway")
        ):
            hint = "; the Gateway of this name is Istio's own kind, which takes VirtualServices"
        message = f"there is no {parent.kind} `{parent.namespace}/{parent.name}`, so the route is attached to nothing{hint}"
        yield found(route.meta, (*parent.field, "name"), message)
    elif parent.kind != "Service":
        yield from _listener(route, parent, item)


def _listener(route: Route, parent: ParentRef, item: Gateway | ListenerSet) -> Iterator[Found]:
    """A section or port that no listener of the parent has."""
    names, ports = [listener.name for listener in item.listeners], [listener.port for listener in item.listeners]
    related = (f"the {item.meta.ref.kind}", item.meta, ("spec", "listeners"))
    if parent.section is not None and parent.section not in names:
        near = nearest(parent.section, names)
        hint = f"; did you mean `{near}`?" if near else f" (there are: {listed(names, 5)})"
        message = f"{item.meta.ref} has no listener `{parent.section}`, so the route is attached to nothing{hint}"
        yield found(route.meta, (*parent.field, "sectionName"), message, related)
    elif parent.port is not None and parent.port not in ports:
        message = f"{item.meta.ref} has no listener on port {parent.port} (there are: {listed(ports, 5)}): the route is attached to nothing"
        yield found(route.meta, (*parent.field, "port"), message, related)
