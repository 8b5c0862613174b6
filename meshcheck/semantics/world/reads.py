"""What an answer was made from: the kinds, and the namespaces of which their objects were looked at.

A World with gaps keeps this for each answer and each of the intermediate results that it remembers; so no station has to think of what it
depends on, and none can forget it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from meshcheck.model.inventory import Inventory
from meshcheck.model.record import replace

Looked = tuple[str, str | None]
"""(heading, namespace): objects that were looked at; None for those of all namespaces."""


class Reads:
    """The looks at a World, in frames: one for each result that is being computed."""

    def __init__(self) -> None:
        self._frames: list[set[Looked]] = []
        self._kept: dict[Any, frozenset[Looked]] = {}

    def note(self, heading: str, namespace: str | None = None) -> None:
        """Objects were looked at."""
        if self._frames:
            self._frames[-1].add((heading, namespace))

    def add(self, looked: Iterable[Looked]) -> None:
        if self._frames:
            self._frames[-1].update(looked)

    @contextmanager
    def frame(self) -> Iterator[set[Looked]]:
        """Everything that is looked at inside."""
        frame: set[Looked] = set()
        self._frames.append(frame)
        try:
            yield frame
        finally:
            self._frames.pop()

    def keep(self, key: Any, looked: Iterable[Looked]) -> None:
        """What a remembered result was made from."""
        self._kept[key] = frozenset(looked)

    def again(self, key: Any) -> None:
        """A remembered result is used: it depends on what it was made from."""
        self.add(self._kept.get(key, ()))


class _Noting(dict[str, tuple[Any, ...]]):
    """Objects by heading; who looks at a heading is noted."""

    def __init__(self, objects: Mapping[str, tuple[Any, ...]], reads: Reads) -> None:
        super().__init__(objects)
        self._reads = reads

    def get(self, key: str, default: Any = None, /) -> Any:
        self._reads.note(key)
        return super().get(key, default)

    def __getitem__(self, key: str) -> tuple[Any, ...]:
        self._reads.note(key)
        return super().__getitem__(key)


def watched(inventory: Inventory, reads: Reads) -> Inventory:
    """The inventory, telling `reads` which of its headings are looked at."""
    return replace(inventory, objects=_Noting(inventory.objects, reads))
