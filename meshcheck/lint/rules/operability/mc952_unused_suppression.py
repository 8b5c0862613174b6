"""A suppression hides nothing any more.

## Finds

Marks that tell lint to ignore a rule (an annotation, a comment, an entry of the settings) where that rule finds nothing.

## Why it matters

A mark that outlives its finding hides the next one, which nobody has looked at.

## Avoid

```yaml
paths: ["/api/{*}/items"]   # meshcheck: ignore[MC213] the star is meant
```

## Prefer

```yaml
paths: ["/api/{*}/items"]
```

## Exceptions

None.

## Silent when

The rule did not run, or could not speak for want of evidence.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.marks import Applied
from meshcheck.lint.rule import Found, review


@review("MC952", "unused-suppression", severity="info")
def reviews(applied: Applied) -> Iterator[Found]:
    """A mark whose rules all ran and found nothing that it covers."""
    mark = applied.suppression
    if applied.checked and not applied.used:
        yield Found(f"the {mark.kind} ignores {', '.join(mark.codes)}, and there is nothing to ignore", mark.object, None, place=mark.place)
