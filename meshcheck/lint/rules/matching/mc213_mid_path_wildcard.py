"""A `*` in the middle of a path is a plain character, so the rule does not match what it looks like.

## Finds

`paths` and `notPaths` of AuthorizationPolicies with a `*` that is neither the first nor the last character, or with one at both ends, and
no template.

## Why it matters

Istio knows exact values, one `*` at the start or at the end, and the templates `{*}` and `{**}`. `/api/*/items` is the path with a star in
it: an ALLOW never matches, a DENY never blocks. In `*/admin/*` the first star counts and the last one is a character.

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

Never: one document is enough. Regular expressions are MC238's.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.fields import operation_values
from meshcheck.lint.patterns import is_regex, is_template
from meshcheck.lint.repair import replacing
from meshcheck.lint.rule import Found, found, rule


@rule("MC213", "mid-path-wildcard", severity="error", needs="document")
def check(evidence: Evidence) -> Iterator[Found]:
    """Paths with a star inside."""
    for policy, path, value in operation_values(evidence, "paths"):
        if is_template(value) or is_regex(value):
            continue
        both = len(value) > 1 and value[0] == value[-1] == "*"
        if "*" in value[1:-1] or both:
            which = "with a `*` at both ends, the last one is" if both else "`*` inside a path is"
            meant = _template(value)
            fix = replacing(policy.meta, path, meant, f"write the template `{meant}`", safe=False) if meant else None
            hint = f"; write `{meant}`" if meant else "; `{*}` matches one segment, `{**}` any number"
            yield found(policy.meta, path, f"`{value}`: {which} a plain character{hint}", fix=fix)


def _template(value: str) -> str | None:
    """The template for a path whose stars are whole segments; None where there is no such reading."""
    segments = value.split("/")
    if segments[0] or any("*" in segment and segment != "*" for segment in segments) or any(not s.isascii() for s in segments):
        return None
    last = len(segments) - 1
    return "/".join("{**}" if s == "*" and n == last else "{*}" if s == "*" else s for n, s in enumerate(segments))
