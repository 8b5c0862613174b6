"""A method is not in upper case, so it never matches.

## Finds

`methods` and `notMethods` with a method of HTTP in lower or mixed case.

## Why it matters

Methods are compared with case, and clients send them in upper case: an ALLOW for `get` admits nothing, a DENY for `delete` blocks nothing.

## Avoid

```yaml
methods: ["get", "Post"]
```

## Prefer

```yaml
methods: ["GET", "POST"]
```

## Exceptions

None.

## Silent when

Never: one document is enough.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.fields import operation_values
from meshcheck.lint.methods import is_method
from meshcheck.lint.repair import replacing
from meshcheck.lint.rule import Found, found, rule


@rule("MC210", "lowercase-method", severity="error", needs="document")
def check(evidence: Evidence) -> Iterator[Found]:
    """Methods that upper case would make known."""
    for policy, path, value in operation_values(evidence, "methods"):
        upper = value.upper()
        if value != upper and not is_method(value) and is_method(upper):
            fix = replacing(policy.meta, path, upper, f"write `{upper}`")
            yield found(policy.meta, path, f"`{value}` never matches: methods are compared with case; write `{upper}`", fix=fix)
