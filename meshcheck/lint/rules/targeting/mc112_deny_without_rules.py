"""A DENY, AUDIT or CUSTOM policy without rules never matches, and Istio refuses it.

## Finds

AuthorizationPolicies with an action other than ALLOW whose `rules` are empty or left out.

## Why it matters

Its author expects a block. A policy matches when one of its rules does; with none, nothing matches, so nothing is denied.

## Avoid

```yaml
spec:
  action: DENY
```

## Prefer

```yaml
spec:
  action: DENY
  rules: [{}]          # one empty rule matches every request
```

## Exceptions

None: Istio's webhook refuses the object.

## Silent when

Never: one document is enough.
"""

from __future__ import annotations

from meshcheck.decode.admission import Problem
from meshcheck.lint.rule import refusal


@refusal("MC112", "deny-without-rules")
def claims(kind: str, problem: Problem) -> bool:
    """Istio's refusal of actions that make no sense without rules."""
    return kind == "AuthorizationPolicy" and "without rules never" in problem.message
