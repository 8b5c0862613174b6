r"""A value looks like a regular expression, and is compared as plain text.

## Finds

Values of sources, operations and conditions with anchors, `.*`, `.+`, classes such as `[0-9]` or alternatives in parentheses.

## Why it matters

An AuthorizationPolicy knows exact values, one star at the start or the end, and path templates. `/api/.*` is every path that begins with
`/api/.`, and `^/admin$` is no path at all.

## Avoid

```yaml
paths: ["/api/.*", "^/admin$"]
hosts: [".*\\.example\\.com"]
```

## Prefer

```yaml
paths: ["/api/*", "/admin"]
hosts: ["*.example.com"]
```

## Exceptions

Values of headers and claims that are text with brackets or dollar signs.

## Silent when

Never: one document is enough.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.fields import values_of
from meshcheck.lint.patterns import is_regex
from meshcheck.lint.rule import Found, found, rule

_FREE = ("request.headers[", "request.auth.claims[", "experimental.")
"""Keys whose values may be any text: only what can hardly be anything else counts there."""
_NOT = ("ipBlocks", "remoteIpBlocks", "ports", "source.ip", "remote.ip", "destination.ip", "destination.port", "methods")


@rule("MC238", "value-looks-like-regex", severity="error", confidence="medium", needs="document")
def check(evidence: Evidence) -> Iterator[Found]:
    """Regular expressions in fields of text."""
    for policy in evidence.of("AuthorizationPolicy"):
        for one in policy.rules:
            for field in (f for group in (*one.sources, *one.operations, one.conditions) for f in group if f.name not in _NOT):
                for path, value in values_of(field):
                    if is_regex(value) and (not field.name.startswith(_FREE) or ".*" in value or value[:1] == "^"):
                        words = f"`{value}` is compared as text: regular expressions are not known here; a `*` at the start or the end is"
                        yield found(policy.meta, path, words + (", and the templates `{*}` and `{**}`" if field.name == "paths" else ""))
