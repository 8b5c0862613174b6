"""Two documents declare the same object with different contents, so the last one counts.

## Finds

Documents with the same group, kind, namespace and name that do not say the same: in one file a warning, in several files a note.

## Why it matters

What is in force depends on the order in which files are applied. meshcheck, too, takes the last one: its answers are about that one.

## Avoid

```yaml
metadata: {name: cart, namespace: shop}   # in a.yaml and in b.yaml
```

## Prefer

```yaml
metadata: {name: cart, namespace: shop}   # once
```

## Exceptions

Folders with alternatives that are applied in turn: give meshcheck one of them. Bases and patches of kustomize: give it what `kustomize
build` prints.

## Silent when

The documents are equal. Objects with `generateName`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from meshcheck.lint.evidence import Evidence, reference
from meshcheck.lint.rule import Found, rule


@rule("MC116", "duplicate-object", severity="warning", needs="documents")
def check(evidence: Evidence) -> Iterator[Found]:
    """Objects that are declared again; the finding is at the earlier document, which does not count."""
    last: dict[tuple[str, str, str | None, str], Any] = {}
    for document in reversed(evidence.documents):
        ref = reference(document.value)
        if not _named(document.value) or not ref.name:
            continue
        key = ref.api_version.rpartition("/")[0], ref.kind, ref.namespace, ref.name
        winner = last.setdefault(key, document)
        if winner is not document and winner.value != document.value:
            place = ("this one counts", winner.origin, ("metadata", "name"))
            words = f"another document declares the same {ref.kind}, and the last one counts: nothing of this one is in force"
            apart = winner.origin.file != document.origin.file
            yield Found(words, ref, document.origin, ("metadata", "name"), (place,), severity="info" if apart else None)


def _named(value: Mapping[str, Any]) -> bool:
    meta = value.get("metadata")
    return isinstance(meta, dict) and bool(meta.get("name"))
