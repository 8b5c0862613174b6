"""A DENY of an exact path leaves the same path with a slash open.

## Finds

Exact paths in `paths` of DENY rules, and in `notPaths` of ALLOW rules, where no value of the list covers the path with a slash at its end.

## Why it matters

Paths are compared exactly, and most servers answer `/admin/` as they answer `/admin`. The slash walks past the rule.

## Avoid

```yaml
action: DENY
rules: [{to: [{operation: {paths: ["/admin"]}}]}]
```

## Prefer

```yaml
paths: ["/admin", "/admin/*"]
```

## Exceptions

Servers that answer 404 for the path with the slash. Paths that end in a file's name (`/config.json`) are left alone.

## Silent when

Never: one document is enough.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.fields import fields_of, values_of
from meshcheck.lint.patterns import is_exact, is_regex
from meshcheck.lint.repair import adding
from meshcheck.lint.rule import Found, found, rule
from meshcheck.semantics.authorization.strings import compile_path


@rule("MC215", "deny-trailing-slash-gap", severity="warning", confidence="medium", needs="document", audience="security")
def check(evidence: Evidence) -> Iterator[Found]:
    """Exact paths that a slash escapes."""
    for policy, _, field in fields_of(evidence, "paths"):
        if (policy.action, field.negated) not in (("DENY", False), ("ALLOW", True)):
            continue
        matches = [compile_path(value) for value in field.values]
        for path, value in values_of(field):
            plain = value.startswith("/") and is_exact(value) and "*" not in value and not is_regex(value) and "?" not in value
            if not plain or value.endswith("/") or "." in value.rpartition("/")[2]:
                continue
            if not any(match(f"{value}/") for match in matches):
                fix = adding(policy.meta, (*field.path, "-"), f"{value}/", f"add `{value}/`")
                yield found(
                    policy.meta, path, f"`{value}/` is not covered, and most servers take it for `{value}`; add `{value}/`", fix=fix
                )
