"""The gateway takes the token away that the workload behind it asks for.

## Finds

Ways from outside through a gateway that verifies a token and drops it, to a workload that verifies tokens of the same issuer and lets no
request pass without one.

## Why it matters

A verified token is removed from the request unless its rule says `forwardOriginalToken: true`. The workload gets a request without a token
and answers 403, although the caller's token is good: it works at the gateway and fails inside.

## Avoid

```yaml
kind: RequestAuthentication    # of the gateway
spec:
  jwtRules: [{issuer: https://idp.example.com, jwksUri: https://idp.example.com/keys}]
```

## Prefer

```yaml
kind: RequestAuthentication
spec:
  jwtRules: [{issuer: https://idp.example.com, jwksUri: https://idp.example.com/keys, forwardOriginalToken: true}]
```

## Exceptions

Clients that send the token twice, the second time in a place that the gateway does not look at.

## Silent when

The workload has no RequestAuthentication (MC502), or its policies also admit calls without a token, such as those of the gateway's account.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.entrances import ways
from meshcheck.lint.evidence import Evidence
from meshcheck.lint.proxies import governed, listed
from meshcheck.lint.repair import adding
from meshcheck.lint.rule import Found, found, rule
from meshcheck.lint.tokens import authentications, issuers, refuses_without_token
from meshcheck.model.istio_security import JwtRule, RequestAuthentication
from meshcheck.model.question import Question
from meshcheck.model.record import replace
from meshcheck.model.trace import DENIED
from meshcheck.semantics.gateway.pods import is_gateway

Dropping = tuple[RequestAuthentication, JwtRule]


@rule(
    "MC505",
    "token-not-forwarded",
    severity="error",
    needs="absence",
    confidence="medium",
    kinds=("Workload", "AuthorizationPolicy", "RequestAuthentication"),
)
def check(evidence: Evidence) -> Iterator[Found]:
    """Tokens that end at a gateway."""
    dropping = [
        (policy, one)
        for policy in evidence.of("RequestAuthentication")
        if any(is_gateway(w) for w in governed(evidence, policy))
        for one in policy.rules
        if not one.forward and one.issuer
    ]
    if not dropping:
        return
    lost: dict[Dropping, list[str]] = {}
    for way in ways(evidence):
        if way.question is not None:
            for drop in dropping:
                if (name := _starved(evidence, way.question, drop)) is not None:
                    lost.setdefault(drop, []).append(name)
    for (policy, one), names in lost.items():
        related = []
        for name in dict.fromkeys(names):
            workload = evidence.world.find_workload(*name.split("/", 1))
            if workload is not None:
                related.append((f"{name} verifies it again", authentications(evidence, workload)[0].meta, ("spec", "jwtRules")))
        message = f"the token of `{one.issuer}` ends here, and {listed(names)} behind the gateway answers 403 without one"
        fix = adding(policy.meta, (*one.path, "forwardOriginalToken"), True, "hand the token on", safe=False)
        yield found(policy.meta, one.path, message, *related, fix=fix)


def _starved(evidence: Evidence, question: Question, drop: Dropping) -> str | None:
    """NAMESPACE/NAME of the workload behind a way that refuses the call because the gateway dropped its token."""
    policy, one = drop
    claims = {"iss": one.issuer, "sub": "someone", "aud": list(one.audiences)}
    answer = evidence.trace(replace(question, claims=claims))
    end = answer.decided_at
    if answer.verdict != DENIED or end is None or end[0] < 2 or end[1].name != "authorization":
        return None
    workload = evidence.world.find_workload(*(end[1].workload or "").partition("/")[::2])
    first = answer.hops[0].target
    if workload is None or not any(str(w) == first or not w.meta.origin for w in governed(evidence, policy)):
        return None
    accepted = issuers(evidence, workload)
    if not authentications(evidence, workload) or (accepted is not None and one.issuer not in accepted):
        return None
    return str(workload) if refuses_without_token(evidence, workload) else None
