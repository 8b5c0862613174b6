"""A CORS policy stands at a route inside the mesh, while browsers come by a gateway that has none.

## Finds

CORS policies in VirtualServices for sidecars only, where another VirtualService leads from a gateway to the same Service without a CORS
policy.

## Why it matters

CORS is applied by the proxy that takes the route. The browser's request takes the gateway's route, so nobody answers its preflight, and the
headers are never sent.

## Avoid

```yaml
metadata: {name: cart}
spec: {hosts: [cart], http: [{corsPolicy: {…}, route: [{destination: {host: cart}}]}]}                  # for sidecars
---
metadata: {name: public}
spec: {gateways: [public], hosts: [shop.example.com], http: [{route: [{destination: {host: cart}}]}]}
```

## Prefer

```yaml
metadata: {name: public}
spec: {gateways: [public], hosts: [shop.example.com], http: [{corsPolicy: {…}, route: [{destination: {host: cart}}]}]}
```

## Exceptions

The application answers CORS by itself for calls that come by the gateway.

## Silent when

No route of a gateway leads to the Service, or one of them has a CORS policy.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.istio_networking import HttpRoute, VirtualService
from meshcheck.semantics.routing.selection import full_name


@rule("MC515", "cors-on-wrong-hop", severity="warning", needs="documents", confidence="medium")
def check(evidence: Evidence) -> Iterator[Found]:
    """CORS where no browser comes by."""
    public = [v for v in evidence.of("VirtualService") if any(name != "mesh" for name in v.gateways)]
    for virtual in evidence.of("VirtualService"):
        if any(name != "mesh" for name in virtual.gateways):
            continue
        for route in virtual.http:
            if route.cors is None:
                continue
            hosts = _hosts(virtual, route)
            leading = [(v, r) for v in public for r in v.http if hosts & _hosts(v, r)]
            if leading and all(r.cors is None for _, r in leading):
                other, way = leading[0]
                name = f"{other.meta.namespace}/{other.meta.name}"
                message = f"browsers come by {name} at a gateway, which has no CORS policy: this one is not asked"
                yield found(virtual.meta, (*route.field, "corsPolicy"), message, ("the gateway's route", other.meta, way.field))


def _hosts(virtual: VirtualService, route: HttpRoute) -> set[str]:
    return {full_name(destination.host, virtual.meta.namespace) for destination in route.destinations}
