"""A route matches on claims of a token where nothing verifies tokens, so it is never taken.

## Finds

Matches of VirtualServices on headers `@request.auth.claims…` at gateways to which no RequestAuthentication applies.

## Why it matters

The gateway makes these headers of a token that it verified. Without a RequestAuthentication there is none, and the request takes the next
route, or gets 404. (Sidecars do not know these headers at all: Istio refuses them in VirtualServices for sidecars.)

## Avoid

```yaml
http:
- match: [{headers: {"@request.auth.claims.group": {exact: admin}}}]   # nothing verifies tokens at the gateway
```

## Prefer

```yaml
kind: RequestAuthentication
metadata: {namespace: istio-system}
spec:
  selector: {matchLabels: {istio: ingressgateway}}
  jwtRules: [{issuer: https://idp.example.com, jwksUri: https://idp.example.com/keys}]
```

## Exceptions

An EnvoyFilter or WasmPlugin on the gateway may verify tokens: such gateways are left out.

## Silent when

The RequestAuthentication may be elsewhere (open world), or the Gateway is not known.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.proxies import pods_of_gateway
from meshcheck.lint.rule import Found, found, rule
from meshcheck.lint.tokens import authentications, may_verify
from meshcheck.model.istio_networking import VirtualService


@rule(
    "MC512",
    "claim-routing-without-authn",
    severity="error",
    needs="absence",
    kinds=("Workload", "IstioGateway", "RequestAuthentication", "EnvoyFilter", "WasmPlugin", "TrafficExtension"),
)
def check(evidence: Evidence) -> Iterator[Found]:
    """Routes by claims that nobody verifies."""
    for virtual in evidence.of("VirtualService"):
        for route in virtual.http:
            for match in route.matches:
                for name, _ in match.headers:
                    if name.startswith("@request.auth.claims") and (why := _unverified(evidence, virtual, match.gateways)):
                        yield found(virtual.meta, (*match.field, "headers", name), f"{why}: this route is never taken")


def _unverified(evidence: Evidence, virtual: VirtualService, own: tuple[str, ...]) -> str | None:
    """Why no request has claims at the gateways of a match; None where one may."""
    names = [name for name in own or virtual.gateways if name != "mesh"]
    table = evidence.once("gateways by name", lambda: {f"{g.meta.namespace}/{g.meta.name}": g for g in evidence.of("IstioGateway")})
    for name in names:
        pods = pods_of_gateway(evidence, table[name]) if name in table else ()
        if not pods or any(authentications(evidence, pod) or may_verify(evidence, pod) for pod in pods):
            return None
    return f"no RequestAuthentication applies to {', '.join(names)}" if names else None
