"""A path does not begin with a slash, so it never matches a request.

## Finds

`paths` and `notPaths` that begin with neither `/` nor `*` nor a template.

## Why it matters

The path of a request begins with a slash. An ALLOW for `api/*` admits nothing; a `notPaths` with it excludes nothing. A host does not
belong there either.

## Avoid

```yaml
paths: ["api/*", "https://shop.example.com/api"]
```

## Prefer

```yaml
paths: ["/api/*"]
hosts: ["shop.example.com"]
```

## Exceptions

None that is known.

## Silent when

Never: one document is enough.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.fields import operation_values
from meshcheck.lint.patterns import is_regex
from meshcheck.lint.repair import replacing
from meshcheck.lint.rule import Found, found, rule


@rule("MC212", "path-without-slash", severity="warning", needs="document")
def check(evidence: Evidence) -> Iterator[Found]:
    """Paths that begin with something else."""
    for policy, path, value in operation_values(evidence, "paths"):
        if value.startswith(("/", "*", "{")) or is_regex(value):
            continue
        if "://" in value:
            yield found(
                policy.meta, path, f"`{value}` never matches: the path of a request has no scheme and no host; the host is for `hosts`"
            )
            continue
        fix = replacing(policy.meta, path, f"/{value}", f"write `/{value}`")
        yield found(policy.meta, path, f"`{value}` never matches: paths begin with a slash; write `/{value}`", fix=fix)
