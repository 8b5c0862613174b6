"""A path holds a query or a fragment, so it never matches.

## Finds

`paths` and `notPaths` with `?` or `#`.

## Why it matters

Policies see the path without its query, and without a fragment, which clients do not send. A rule for `/search?q=*` matches nothing.

## Avoid

```yaml
paths: ["/search?q=*"]
```

## Prefer

```yaml
paths: ["/search"]
```

## Exceptions

None: a condition on the query is not possible in `paths`; `request.headers[:path]` in `when` holds it.

## Silent when

Never: one document is enough.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.fields import operation_values
from meshcheck.lint.patterns import is_regex
from meshcheck.lint.rule import Found, found, rule


@rule("MC214", "path-with-query", severity="error", needs="document")
def check(evidence: Evidence) -> Iterator[Found]:
    """Paths with a query or a fragment."""
    for policy, path, value in operation_values(evidence, "paths"):
        for mark, name in (("?", "query"), ("#", "fragment")):
            if mark in value and not is_regex(value):
                bare = value.partition(mark)[0]
                hint = f"; write `{bare}`" if bare.startswith("/") else ""
                yield found(policy.meta, path, f"`{value}` never matches: paths are compared without the {name}{hint}")
                break
