"""A gateway's own policy refuses the preflight that its CORS policy would answer.

## Finds

Routes with a CORS policy at a gateway whose AuthorizationPolicies deny `OPTIONS` without a token or an identity.

## Why it matters

Before a page may send a token, its browser asks with `OPTIONS`, without any credentials. Policies are applied before CORS, and other than
the check of tokens they do not let preflights pass: the answer is 403 without CORS headers, and the browser reports a CORS error for what
is a refusal of the policy.

## Avoid

```yaml
action: DENY
rules:
- from: [{source: {notRequestPrincipals: ["*"]}}]
```

## Prefer

```yaml
action: DENY
rules:
- from: [{source: {notRequestPrincipals: ["*"]}}]
  to: [{operation: {notMethods: ["OPTIONS"]}}]
```

## Exceptions

Routes that no page of another origin calls, where the CORS policy is a leftover.

## Silent when

The gateway's answer hangs on something that is not known: the caller's address, or an external authorizer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from meshcheck.lint.cors import CorsPolicy, allowed_origin, cors_policies
from meshcheck.lint.entrances import ways
from meshcheck.lint.evidence import Evidence
from meshcheck.lint.repair import adding
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.istio_security import AuthorizationPolicy
from meshcheck.model.question import Question
from meshcheck.model.record import replace
from meshcheck.model.trace import DENIED, Fix, Mention
from meshcheck.semantics.entry.ways import Way
from meshcheck.semantics.tracing.trace import trace


@rule("MC513", "preflight-denied", severity="error", needs="documents", confidence="medium")
def check(evidence: Evidence) -> Iterator[Found]:
    """Preflights that end at a policy of the gateway."""
    if not (cors_policies(evidence) and evidence.of("AuthorizationPolicy")):
        return
    by_owner: dict[object, list[CorsPolicy]] = {}
    for item in cors_policies(evidence):
        by_owner.setdefault(item[0].ref, []).append(item)
    seen = set()
    for way in ways(evidence):
        for meta, field, cors in by_owner.get(way.owner.ref, ()):
            refusing = _refusing(evidence, way, cors)
            if refusing is None or (meta.ref, field) in seen:
                continue
            seen.add((meta.ref, field))
            policy = refusing.meta
            message = (
                f"{way.entry} refuses the preflight to {way.address}{_path(way)} before CORS is looked at"
                f" ({policy.ref}): browsers report a CORS error"
            )
            yield found(meta, field, message, ("this policy refuses it", policy, refusing.field), fix=_exempting(evidence, refusing))


def _path(way: Way) -> str:
    return f" ({way.path})" if way.path != "*" else ""


def _refusing(evidence: Evidence, way: Way, cors: Mapping[str, Any]) -> Mention | None:
    """The policy that refuses a preflight which CORS would answer, were it not for policies."""
    origin = allowed_origin(cors)
    if way.question is None or origin is None:
        return None
    method = next((m for m in cors.get("allowMethods") or () if m not in ("*", "OPTIONS")), "GET")
    headers = {**way.question.headers, "origin": (origin,), "access-control-request-method": (str(method),)}
    asked: Question = replace(way.question, method="OPTIONS", headers=headers)
    answer = evidence.trace(asked)
    if answer.verdict != DENIED or answer.decided_at is None or answer.decided_at[0] != 1:
        return None
    station = answer.decided_at[1]
    if station.name != "authorization" or station.decider is None:
        return None
    free = trace(evidence.once("without policies", lambda: evidence.world.with_objects({"AuthorizationPolicy": ()})), asked, explain=False)
    answered = any(s.name == "cors" and s.symptom is not None and s.symptom.headers for hop in free.hops for s in hop.stations)
    return station.decider if answered else None


def _exempting(evidence: Evidence, refusing: Mention) -> Fix | None:
    """Leave preflights out of the rule that denies them, where it says nothing about operations."""
    policy: AuthorizationPolicy | None = next((p for p in evidence.of("AuthorizationPolicy") if p.meta is refusing.meta), None)
    if policy is None or policy.action != "DENY" or refusing.rule is None:
        return None
    one = next((r for r in policy.rules if r.index == refusing.rule), None)
    if one is None or one.operations:
        return None
    operations = [{"operation": {"notMethods": ["OPTIONS"]}}]
    return adding(policy.meta, ("spec", "rules", one.index, "to"), operations, "leave preflights out of the DENY rule", safe=False)
