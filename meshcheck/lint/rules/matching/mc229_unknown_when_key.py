"""A condition has a key that Istio does not know, so the policy is refused.

## Finds

Keys of `when` that are no attribute of a request: typos such as `request.header[x]`, keys of old versions such as
`destination.labels[app]`, and `request.headers` without the name of a header.

## Why it matters

Istio's webhook refuses the whole policy. Where the webhook was not asked, the rule is skipped: an ALLOW closes, a DENY opens.

## Avoid

```yaml
when:
- key: request.header[x-team]
  values: ["blue"]
```

## Prefer

```yaml
when:
- key: request.headers[x-team]
  values: ["blue"]
```

## Exceptions

None.

## Silent when

Never: one document is enough.
"""

from __future__ import annotations

from meshcheck.decode.admission import Problem
from meshcheck.lint.rule import refusal


@refusal("MC229", "unknown-when-key")
def claims(kind: str, problem: Problem) -> bool:
    """Istio's refusals of a condition's key."""
    path = problem.path
    known = "cannot be used with action CUSTOM" in problem.message  # a key that exists: MC517
    return kind == "AuthorizationPolicy" and problem.refused_by is not None and path[-1:] == ("key",) and "when" in path and not known
