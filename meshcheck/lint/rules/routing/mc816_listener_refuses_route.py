"""No listener of a Gateway takes a route: its namespace, kind or hostnames are not allowed there.

## Finds

`parentRefs` of routes whose Gateway exists and none of whose listeners (or the one that `sectionName` names) takes the route, because of
`allowedRoutes` (the default is: routes of the Gateway's own namespace only), its kind, or a hostname that it does not have.

## Why it matters

The route is attached to nothing and callers get 404, while the objects look complete.

## Avoid

```yaml
kind: Gateway
metadata: {name: public, namespace: infra}
spec: {listeners: [{name: http, port: 80, protocol: HTTP}]}     # takes routes of namespace infra
```

## Prefer

```yaml
spec: {listeners: [{name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}]}
```

## Exceptions

None.

## Silent when

The Gateway is not in the input; labels of namespaces or ListenerSets may be elsewhere (open world).
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.gateway_api import Gateway, ParentRef, Route
from meshcheck.semantics.gateway_api.attachment import attached
from meshcheck.semantics.gateway_api.listeners import Member, members_of

_ELSEWHERE = "its parentRef names"
"""How the reason begins where a route means another listener."""


@rule("MC816", "listener-refuses-route", severity="error", needs="absence", kinds=("Gateway", "ListenerSet", "Namespace"))
def check(evidence: Evidence) -> Iterator[Found]:
    """Routes that their Gateway does not take."""
    for gateway in evidence.of("Gateway"):
        yield from _refused(evidence, gateway)


def _refused(evidence: Evidence, gateway: Gateway) -> Iterator[Found]:
    """Parents of routes that are on none of the Gateway's listeners."""
    there: set[tuple[int, int]] = set()
    reasons: dict[tuple[int, int], tuple[Route, ParentRef, Member, str]] = {}
    for member in members_of(evidence.world, gateway):
        on, off = attached(evidence.world, member)
        there |= {(id(item.route), id(item.parent)) for item in on}
        for item in off:
            if not item.why.startswith(_ELSEWHERE):
                reasons.setdefault((id(item.route), id(item.parent)), (item.route, item.parent, member, item.why))
    for key, (route, parent, member, why) in reasons.items():
        if key not in there:
            message = f"attached to nothing: {why}"
            yield found(route.meta, (*parent.field, "name"), message, ("the listener", member.owner, member.listener.field))
