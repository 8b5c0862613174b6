"""A prefix ends inside of a word, so an ALLOW also admits other paths that begin like it.

## Finds

`paths` of ALLOW rules, and `notPaths` of DENY rules, that end in a letter or digit and a star.

## Why it matters

`/api*` also matches `/apikeys` and `/api-internal`. A new path of the application is open on the day it appears.

## Avoid

```yaml
paths: ["/api*"]
```

## Prefer

```yaml
paths: ["/api", "/api/*"]
```

## Exceptions

Prefixes that are meant to end inside of a word; versions (`/v1*`) and paths for health checks and metrics are left alone.

## Silent when

Never: one document is enough.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.fields import fields_of, values_of
from meshcheck.lint.patterns import is_regex, is_template
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.pattern import pattern

_MEANT = pattern(r"/(v[0-9]+|health[a-z]*|ready[a-z]*|live[a-z]*|metrics|favicon|actuator)\*$")


@rule("MC216", "prefix-overmatch", severity="warning", confidence="medium", needs="document", audience="security")
def check(evidence: Evidence) -> Iterator[Found]:
    """Prefixes without a separator."""
    for policy, _, field in fields_of(evidence, "paths"):
        if (policy.action, field.negated) not in (("ALLOW", False), ("DENY", True)):
            continue
        for path, value in values_of(field):
            word = value.startswith("/") and value.endswith("*") and value[-2:-1].isalnum()
            if word and "*" not in value[:-1] and not is_template(value) and not is_regex(value) and not _MEANT.search(value):
                bare = value[:-1]
                words = (
                    f"`{value}` also matches `{bare}-other` and `{bare}s`; write `{bare}` and `{bare}/*` for the path and what is below it"
                )
                yield found(policy.meta, path, words)
