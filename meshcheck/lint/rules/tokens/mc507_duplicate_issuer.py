"""One issuer is declared twice for a workload with different keys or audiences: either of the two is enough.

## Finds

Rules for tokens of RequestAuthentications that apply to one workload, name the same issuer and differ in keys or audiences.

## Why it matters

RequestAuthentications are put together, and a token that one of the rules accepts is accepted. The narrower rule does not narrow anything:
a token for an audience that it leaves out, or signed with a key that was replaced, still passes by the other.

## Avoid

```yaml
jwtRules: [{issuer: https://idp.example.com, audiences: [api], jwksUri: https://idp.example.com/keys}]   # of app=cart
jwtRules: [{issuer: https://idp.example.com, jwksUri: https://idp.example.com/keys}]                     # of the namespace
```

## Prefer

```yaml
jwtRules: [{issuer: https://idp.example.com, audiences: [api, web], jwksUri: https://idp.example.com/keys}]
```

## Exceptions

Keys that are being rotated by hand, old and new side by side.

## Silent when

The rules are alike, or read tokens from different places; the policies share no proxy that is known.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.proxies import listed, proxies
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.istio_security import JwtRule
from meshcheck.semantics.authentication.requests import Provider, providers_of


@rule("MC507", "duplicate-issuer", severity="warning", needs="documents", confidence="medium", audience="security")
def check(evidence: Evidence) -> Iterator[Found]:
    """Issuers with two sets of conditions."""
    twice: dict[tuple[Provider, Provider], list[str]] = {}
    for workload in proxies(evidence):
        providers = providers_of(evidence.world.request_authentications(workload))
        for n, one in enumerate(providers):
            for other in providers[:n]:
                if one.rule.issuer and one.rule.issuer == other.rule.issuer and one.locations == other.locations:
                    twice.setdefault((one, other), []).append(str(workload))
    for (one, other), names in twice.items():
        what = _difference(one.rule, other.rule)
        if what is not None:
            first = f"{other.policy.meta.namespace}/{other.policy.meta.name}"
            message = f"{first} has `{one.rule.issuer}` for {listed(names)} as well, with other {what}: a token that either accepts passes"
            yield found(one.policy.meta, one.rule.path, message, ("the other rule", other.policy.meta, other.rule.path))


def _difference(one: JwtRule, other: JwtRule) -> str | None:
    if sorted(one.audiences) != sorted(other.audiences):
        return "audiences"
    return "keys" if (one.jwks, one.jwks_uri) != (other.jwks, other.jwks_uri) else None
