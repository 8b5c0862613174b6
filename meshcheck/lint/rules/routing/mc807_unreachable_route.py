"""A route of a VirtualService is never taken, because earlier routes take all its requests or connections.

## Finds

Routes (HTTP, TCP, TLS) of which every match block is covered by a block of an earlier route: the same block again, a shorter prefix, or a
route without a match before the last one.

## Why it matters

The first route that matches wins. What the later one does (another destination, a rewrite, CORS, a timeout) never happens, and who reads
the file expects it to.

## Avoid

```yaml
http:
- match: [{uri: {prefix: /}}]
  route: [{destination: {host: web}}]
- match: [{uri: {prefix: /api}}]        # never reached
  route: [{destination: {host: api}}]
```

## Prefer

```yaml
http:
- match: [{uri: {prefix: /api}}]
  route: [{destination: {host: api}}]
- route: [{destination: {host: web}}]
```

## Exceptions

None.

## Silent when

The earlier route delegates, so that not all its requests may be taken; the blocks differ in a regular expression, or in a wildcard of SNI.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.route_matches import covers, covers_connections
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.istio_networking import HttpMatch, HttpRoute, L4Route, VirtualService

_MOST = 200
"""Routes of one VirtualService that are compared with each other; more are made by programs."""


@rule("MC807", "unreachable-route", severity="warning", needs="document")
def check(evidence: Evidence) -> Iterator[Found]:
    """Routes behind others that take everything of theirs."""
    for virtual in evidence.of("VirtualService"):
        earlier: list[tuple[HttpRoute, HttpMatch | None]] = []
        for route in virtual.http[:_MOST]:
            blocks: tuple[HttpMatch | None, ...] = route.matches or (None,)
            by = [next(((r, m) for r, m in earlier if covers(m, block)), None) for block in blocks]
            takers = [item for item in by if item is not None]
            if len(takers) == len(blocks):
                yield _finding(virtual, route, takers[0][0], takers[0][1])
            if route.delegate is None:
                earlier += [(route, block) for block in blocks]
        for kind, routes in (("tcp", virtual.tcp), ("tls", virtual.tls)):
            yield from _of_connections(virtual, kind, routes[:_MOST])


def _of_connections(virtual: VirtualService, kind: str, routes: tuple[L4Route, ...]) -> Iterator[Found]:
    """TCP or TLS routes behind others."""
    earlier: list[tuple[int, Mapping[str, Any]]] = []
    for number, route in enumerate(routes):
        blocks = route.matches or ({},)
        by = [next((n for n, m in earlier if covers_connections(m, block)), None) for block in blocks]
        if None not in by and by[0] is not None:
            field = (*route.field, "match") if route.matches else route.field
            message = f"never taken: {kind} route number {by[0] + 1} before it takes all its connections"
            yield found(virtual.meta, field, message, ("taken here", virtual.meta, routes[by[0]].field))
        earlier += [(number, block) for block in blocks]


def _finding(virtual: VirtualService, route: HttpRoute, taker: HttpRoute, block: HttpMatch | None) -> Found:
    which = f"`{taker.name}`" if taker.name else f"number {virtual.http.index(taker) + 1}"
    message = f"never taken: route {which} before it takes all its requests"
    field = block.field if block is not None else taker.field
    return found(virtual.meta, (*route.field, "match") if route.matches else route.field, message, ("taken here", virtual.meta, field))
