"""Tokens are checked, but no policy asks for one: a call without a token gets through.

## Finds

RequestAuthentications that apply to a workload or gateway of which no AuthorizationPolicy looks at the token: neither
`requestPrincipals` nor a condition `request.auth.*`, and no CUSTOM policy.

## Why it matters

A RequestAuthentication refuses bad tokens. A request without any token passes it, so anybody who leaves the token out is let in.

## Avoid

```yaml
kind: RequestAuthentication
spec:
  jwtRules: [{issuer: https://idp.example.com, jwksUri: https://idp.example.com/keys}]
```

## Prefer

```yaml
kind: AuthorizationPolicy      # beside the RequestAuthentication
spec:
  action: DENY
  rules:
  - from: [{source: {notRequestPrincipals: ["*"]}}]
```

## Exceptions

The application itself refuses calls without a token (it gets the token, or its claims as headers: then the finding has medium confidence);
a gateway that routes by claims. At a gateway it is enough that each workload behind it asks for the token.

## Silent when

The policies may be elsewhere (open world); the RequestAuthentication applies to nothing that is known (MC506).
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.entrances import gateway_lets_in
from meshcheck.lint.evidence import Evidence
from meshcheck.lint.proxies import governed, listed
from meshcheck.lint.rule import Found, found, rule
from meshcheck.lint.tokens import asks_for_tokens, refuses_without_token
from meshcheck.model.core import Workload
from meshcheck.semantics.gateway.pods import is_gateway


@rule(
    "MC501",
    "jwt-not-required",
    severity="warning",
    needs="absence",
    kinds=("Workload", "AuthorizationPolicy", "VirtualService"),
    audience="security",
)
def check(evidence: Evidence) -> Iterator[Found]:
    """RequestAuthentications without a policy that asks for what they verify."""
    for authentication in evidence.of("RequestAuthentication"):
        if not authentication.rules:
            continue
        bare = [w for w in governed(evidence, authentication) if _lets_anybody_in(evidence, w)]
        if not bare:
            continue
        handed_on = all(r.forward or r.claim_headers or r.payload_header for r in authentication.rules)
        message = f"a call without a token passes: no AuthorizationPolicy on {listed(bare)} asks for a request principal"
        yield found(authentication.meta, ("spec", "jwtRules"), message, confidence="medium" if handed_on else None)


def _lets_anybody_in(evidence: Evidence, workload: Workload) -> bool:
    """Whether calls without a token pass a proxy; at a gateway, whether they pass all that is behind it as well."""
    if asks_for_tokens(evidence, workload) or refuses_without_token(evidence, workload):
        return False
    return not is_gateway(workload) or (not _routes_by_claims(evidence) and gateway_lets_in(evidence, workload))


def _routes_by_claims(evidence: Evidence) -> bool:
    def find() -> bool:
        routes = (route for virtual in evidence.of("VirtualService") for route in virtual.http)
        return any(name.startswith("@request.auth.") for r in routes for m in r.matches for name, _ in (*m.headers, *m.without_headers))

    return evidence.once("routes by claims", find)
