"""A method is none of HTTP, so no ordinary request matches.

## Finds

`methods` and `notMethods` with a value that is no method that Envoy accepts: typos, several methods in one text, `ALL` and `ANY`.

## Why it matters

Over HTTP/1 Envoy answers requests with other methods with 400 before any policy looks. The value matches nothing.

## Avoid

```yaml
methods: ["GET,POST", "ANY", "UPDATE"]
```

## Prefer

```yaml
methods: ["GET", "POST"]   # `*`, or no `methods` at all, for any
```

## Exceptions

A proxy that was configured to accept methods of its own.

## Silent when

Never: one document is enough. Lower case is MC210's, names of RPCs are MC211's.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.fields import operation_values
from meshcheck.lint.methods import METHODS, is_method, is_rpc
from meshcheck.lint.rule import Found, found, rule

_ANY = ("ALL", "ANY")


@rule("MC209", "unknown-method", severity="warning", needs="document")
def check(evidence: Evidence) -> Iterator[Found]:
    """Methods that no request has."""
    for policy, path, value in operation_values(evidence, "methods"):
        if not is_method(value.upper()) and not is_rpc(value):
            yield found(policy.meta, path, f"`{value}` is no method of HTTP: no ordinary request has it{_hint(value)}")


def _hint(value: str) -> str:
    parts = [part.strip(" ()^$") for part in value.replace("|", ",").replace(" ", ",").split(",") if part.strip()]
    if len(parts) > 1 and all(part.upper() in METHODS for part in parts):
        return f"; write {', '.join(f'`{part.upper()}`' for part in parts)} as items of the list"
    if value.upper() in _ANY:
        return "; `*`, or leaving `methods` out, is for any method"
    near = get_close_matches(value.upper(), sorted(METHODS), 1)
    return f"; did you mean `{near[0]}`?" if near else ""
