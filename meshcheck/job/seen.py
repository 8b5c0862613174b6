"""What a pass looks at: the World, and the documents that it was made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from meshcheck.job.memory import Memory
from meshcheck.load.read import Reading
from meshcheck.model.objects import Origin
from meshcheck.model.record import record
from meshcheck.model.report import Gap
from meshcheck.semantics.world import World


@record
class Seen:
    """One World and how it was read."""

    world: World
    reading: Reading
    source: str
    """Where it comes from, in words: `the cluster at https://…`, `manifests/`."""
    gaps: Sequence[Gap]
    memory: Memory | None = None
    """What earlier passes found, in a watch."""

    def value_of(self, origin: Origin | None) -> Mapping[str, Any] | None:
        """An object as it was written."""
        return self.reading.value_of(origin)

    def uid_of(self, origin: Origin | None) -> str | None:
        """An object's identity in the cluster; None for what comes from files."""
        value = self.reading.value_of(origin) or {}
        uid = (value.get("metadata") or {}).get("uid")
        return uid if isinstance(uid, str) else None

    def counts(self) -> tuple[tuple[str, int], ...]:
        """How many objects were read, by kind, in the order of the alphabet."""
        counts: dict[str, int] = {}
        for document in self.reading.documents:
            kind = document.value["kind"]
            counts[kind] = counts.get(kind, 0) + 1
        return tuple(sorted(counts.items()))
