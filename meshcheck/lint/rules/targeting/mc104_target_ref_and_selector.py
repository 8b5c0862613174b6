"""`selector` and `targetRefs` are both set, so the policy is refused.

## Finds

AuthorizationPolicies and RequestAuthentications with more than one of `selector`, `targetRef` and `targetRefs`. An empty `selector: {}`
counts as set.

## Why it matters

The API server refuses the object: the version that was there before stays in force, or none. It happens when two examples are merged.

## Avoid

```yaml
spec:
  selector: {matchLabels: {app: cart}}
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: public}]
```

## Prefer

```yaml
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: public}]
```

## Exceptions

None: the CRD forbids it.

## Silent when

Never: one document is enough.
"""

from __future__ import annotations

from meshcheck.decode.admission import Problem
from meshcheck.lint.rule import refusal


@refusal("MC104", "target-ref-and-selector")
def claims(kind: str, problem: Problem) -> bool:
    """The CRD's refusal of a policy that attaches in two ways."""
    return kind in ("AuthorizationPolicy", "RequestAuthentication") and problem.path == ("spec",) and "targetRef" in problem.message
