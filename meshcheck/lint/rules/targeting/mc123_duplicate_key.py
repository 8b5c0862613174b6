"""A key stands twice in one mapping, so one of its values is lost.

## Finds

YAML mappings in which a key stands more than once; the finding is at the later entry, the one that counts.

## Why it matters

`kubectl` takes the last entry without a word. The rules under the first one are not part of any policy, although a reader sees them.

## Avoid

```yaml
spec:
  rules: [{from: [{source: {namespaces: [shop]}}]}]
  rules: [{from: [{source: {namespaces: [ops]}}]}]
```

## Prefer

```yaml
spec:
  rules:
  - from: [{source: {namespaces: [shop, ops]}}]
```

## Exceptions

None.

## Silent when

The objects do not come from a text.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, rule


@rule("MC123", "duplicate-key", severity="warning", needs="document")
def check(evidence: Evidence) -> Iterator[Found]:
    """Keys that reading met twice."""
    for place, key in evidence.duplicate_keys:
        yield Found(f"`{key}` is there before; only this entry counts", None, None, place=place)
