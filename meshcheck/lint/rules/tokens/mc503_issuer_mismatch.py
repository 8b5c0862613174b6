"""A policy names an issuer that no RequestAuthentication of the workload accepts, so the value never matches.

## Finds

Values of `requestPrincipals`, `request.auth.principal` and `request.auth.claims[iss]` that none of the issuers can satisfy whose tokens
are accepted at the workload.

## Why it matters

A token of another issuer is refused with 401 before any policy is asked; a token of an accepted one does not match the policy: 403. Often
it is one slash: a principal is `ISSUER/SUBJECT`, so the issuer `https://idp.example.com/` gives `https://idp.example.com//SUBJECT`.

## Avoid

```yaml
jwtRules: [{issuer: "https://idp.example.com/"}]
requestPrincipals: ["https://idp.example.com/*"]
```

## Prefer

```yaml
jwtRules: [{issuer: "https://idp.example.com/"}]
requestPrincipals: ["https://idp.example.com//*"]
```

## Exceptions

A RequestAuthentication whose rule has no `issuer` takes tokens of any.

## Silent when

A RequestAuthentication may be elsewhere (open world); none applies (MC502).
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.proxies import governed, listed
from meshcheck.lint.repair import replacing
from meshcheck.lint.rule import Found, found, rule
from meshcheck.lint.tokens import authentications, enforced, issuers, token_tests
from meshcheck.model.core import Workload
from meshcheck.model.istio_security import AuthorizationPolicy
from meshcheck.semantics.authorization.tests import Test
from meshcheck.semantics.tracing.proxies import compiled


@rule("MC503", "issuer-mismatch", severity="error", needs="absence", kinds=("Workload", "RequestAuthentication"))
def check(evidence: Evidence) -> Iterator[Found]:
    """Issuers that are not accepted."""
    for policy in evidence.of("AuthorizationPolicy"):
        if policy.action not in ("ALLOW", "DENY"):
            continue
        known = [w for w in governed(evidence, policy) if authentications(evidence, w)]
        accepted = [issuers(evidence, w) for w in known]
        if not known or None in accepted:
            continue
        names = tuple(dict.fromkeys(name for one in accepted for name in one or ()))
        for one in enforced(compiled(evidence.world, known[0], True)):
            if one.policy is policy:
                for test in token_tests(one):
                    yield from _mismatches(evidence, policy, test, names, known)


def _mismatches(
    evidence: Evidence, policy: AuthorizationPolicy, test: Test, accepted: tuple[str, ...], known: list[Workload]
) -> Iterator[Found]:
    if test.attribute not in ("claim:iss/sub", "claim:iss"):
        return
    dead = [n for n, match in enumerate(test.matches) if not any(match(_payload(issuer, test.field.values[n])) for issuer in accepted)]
    authentication = authentications(evidence, known[0])[0]
    for number in dead:
        value = test.field.values[number]
        message = f"`{value}` matches no token that is accepted at {listed(known)}: the accepted issuers are {listed(accepted)}"
        better = _better(value, accepted) if test.attribute == "claim:iss/sub" else None
        fix = None
        if better is not None:
            message += f"; did you mean `{better}`?"
            fix = replacing(policy.meta, (*test.field.path, number), better, f"write `{better}`", safe=False)
        yield found(
            policy.meta,
            (*test.field.path, number),
            message,
            ("the issuers are named here", authentication.meta, (*authentication.rules[0].path, "issuer")),
            fix=fix,
            severity=None if len(dead) == len(test.matches) else "warning",
        )


def _payload(issuer: str, value: str) -> dict[str, str]:
    """A token of an issuer whose subject is what a value asks for."""
    subject = value.rpartition("/")[2] or value
    return {"iss": issuer, "sub": subject.replace("*", "x") or "x"}


def _better(value: str, accepted: tuple[str, ...]) -> str | None:
    """The value with the accepted issuer that looks most like the one it names."""
    issuer, _, subject = value.rpartition("/")
    near = get_close_matches(issuer, accepted, 1, 0.8) or [name for name in accepted if name.startswith(value.rstrip("*"))][:1]
    return f"{near[0]}/{subject if near[0] != value else '*'}" if near and "*" not in near[0] else None
