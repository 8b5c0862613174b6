"""A `*` in the middle of a path is a plain character, so the rule does not match what it looks like.

## Finds

`paths` and `notPaths` of AuthorizationPolicies with a `*` that is neither the first nor the last character and no `{*}` template.

## Why it matters

Istio knows exact values, one `*` at the start or at the end, and the templates `{*}` and `{**}`. `/api/*/items` is the path with a star in
it: an ALLOW never matches, a DENY never blocks.

## Avoid

```yaml
paths: ["/api/*/items"]
```

## Prefer

```yaml
paths: ["/api/{*}/items"]
```

## Exceptions

An application that really has a star in its paths.

## Silent when

Never: one document is enough.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.fields import operation_values
from meshcheck.lint.rule import Found, found, rule


@rule("MC213", "mid-path-wildcard", severity="error", needs="document")
def check(evidence: Evidence) -> Iterator[Found]:
    """Paths with a star inside."""
    for policy, path, value in operation_values(evidence, "paths"):
        if "*" in value[1:-1] and "{*" not in value:
            yield found(policy.meta, path, f"`{value}`: `*` inside a path is a plain character; `{{*}}` matches one segment")
