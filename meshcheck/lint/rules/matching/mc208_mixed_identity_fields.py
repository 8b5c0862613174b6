"""`serviceAccounts` stands beside `principals` or `namespaces` in one source, which is refused.

## Finds

Sources of AuthorizationPolicies with `serviceAccounts` (or `notServiceAccounts`) and one of `principals`, `namespaces` and their not-twins.

## Why it matters

The CRD and Istio's webhook refuse the policy, so none of its rules is in force.

## Avoid

```yaml
- source: {serviceAccounts: [frontend], namespaces: [shop]}
```

## Prefer

```yaml
- source: {serviceAccounts: [shop/frontend]}
```

## Exceptions

In `when` the combination is allowed.

## Silent when

Never: one document is enough.
"""

from __future__ import annotations

from meshcheck.decode.admission import Problem
from meshcheck.lint.rule import refusal


@refusal("MC208", "mixed-identity-fields")
def claims(kind: str, problem: Problem) -> bool:
    """The refusal of service accounts beside other identities, by the CRD or by Istio."""
    return kind == "AuthorizationPolicy" and "cannot stand beside" in problem.message and "erviceAccounts`" in problem.message
