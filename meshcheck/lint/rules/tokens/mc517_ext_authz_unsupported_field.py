"""A CUSTOM policy has conditions on identities or tokens, and Istio refuses it.

## Finds

Fields of `source` and conditions that name identities or tokens (`principals`, `namespaces`, `serviceAccounts`, `requestPrincipals`,
`request.auth.*` …) in AuthorizationPolicies with action CUSTOM.

## Why it matters

The object is refused, so the version that was there before stays in force: calls do not go to the authorizer that was meant to see them.

## Avoid

```yaml
action: CUSTOM
rules:
- from: [{source: {namespaces: ["shop"]}}]
```

## Prefer

```yaml
action: CUSTOM
rules:
- to: [{operation: {paths: ["/admin/*"]}}]
```

## Exceptions

None: Istio's webhook refuses the object.

## Silent when

Never: one document is enough.
"""

from __future__ import annotations

from meshcheck.decode.admission import Problem
from meshcheck.lint.rule import refusal


@refusal("MC517", "ext-authz-unsupported-field")
def claims(kind: str, problem: Problem) -> bool:
    """Istio's refusal of fields that CUSTOM cannot have."""
    return kind == "AuthorizationPolicy" and "cannot be used with action CUSTOM" in problem.message
