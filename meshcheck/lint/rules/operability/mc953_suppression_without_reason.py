"""A suppression does not say why.

## Finds

Marks that tell lint to ignore a rule and give no reason. With `require-reason = true` in the settings they count for nothing, and this is
an error.

## Why it matters

Whoever reviews the manifest later cannot tell a decision from a convenience.

## Avoid

```yaml
paths: ["/api/*/items"]   # meshcheck: ignore[MC213]
```

## Prefer

```yaml
paths: ["/api/*/items"]   # meshcheck: ignore[MC213] the application serves a literal star
```

## Exceptions

None.

## Silent when

The mark gives a reason.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.marks import Applied
from meshcheck.lint.rule import Found, review


@review("MC953", "suppression-without-reason", severity="info")
def reviews(applied: Applied) -> Iterator[Found]:
    """A mark without words."""
    mark = applied.suppression
    if not mark.reason:
        yield Found(f"the {mark.kind} that ignores {', '.join(mark.codes)} gives no reason", mark.object, None, place=mark.place)
