"""A path template is malformed, so the policy is refused.

## Finds

`paths` and `notPaths` with braces that are not a whole segment `{*}` or `{**}`, with a `*` or another operator where none may stand.

## Why it matters

Istio's webhook refuses the whole policy. Where the webhook was not asked, the rule never matches.

## Avoid

```yaml
paths: ["/api/v{*}/items", "/api/{**}/items/{*}"]
```

## Prefer

```yaml
paths: ["/api/{*}/items", "/api/{**}/items"]
```

## Exceptions

None.

## Silent when

Never: one document is enough.
"""

from __future__ import annotations

from meshcheck.decode.admission import Problem
from meshcheck.lint.rule import refusal


@refusal("MC218", "bad-path-template")
def claims(kind: str, problem: Problem) -> bool:
    """Istio's refusals of braces in paths."""
    return kind == "AuthorizationPolicy" and problem.path[-2:-1] in (("paths",), ("notPaths",)) and "{" in problem.message
