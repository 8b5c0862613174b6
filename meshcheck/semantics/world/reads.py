"""What an answer was made from: the kinds, and the namespaces of which their objects were looked at.

A World with gaps keeps this for each answer and each of the intermediate results that it remembers; so no station has to think of what it
depends on, and none can forget it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from meshcheck.model.inventory import Inventory
from meshcheck.model.record import NamedTuple, replace


class Looked(NamedTuple):
    """Objects that were looked at: those under a heading, of a namespace or (None) of all."""

    heading: str
    namespace: str | None = None
    knowing: bool = False
    """Who looked asks by itself whether all of them are known, and has drawn the consequence."""


class Frame(set[Looked]):
    """What was looked at while one result was computed."""

    def __init__(self) -> None:
        super().__init__()
        self.merged: set[int] = set()
        """Ids of kept sets that are in it already."""


class Reads:
    """The looks at a World, in frames: one for each result that is being computed."""

    def __init__(self) -> None:
        self._frames: list[Frame] = []
        self._kept: dict[Any, frozenset[Looked]] = {}
        self._same: dict[frozenset[Looked], frozenset[Looked]] = {}
        """Many results are made from the same: each set is there once, so that its id says which one it is."""

    def note(self, heading: str, namespace: str | None = None, knowing: bool = False) -> None:
        """Objects were looked at."""
        if self._frames:
            self._frames[-1].add(Looked(heading, namespace, knowing))

    def add(self, looked: Iterable[Looked]) -> None:
        if self._frames:
            self._frames[-1].update(looked)

    def begin(self) -> None:
        """A result is being computed from now on."""
        self._frames.append(Frame())

    def end(self) -> Frame:
        """It is done; what was looked at since `begin`."""
        return self._frames.pop()

    @contextmanager
    def frame(self) -> Iterator[set[Looked]]:
        """Everything that is looked at inside."""
        frame = Frame()
        self._frames.append(frame)
        try:
            yield frame
        finally:
            self._frames.pop()

    def keep(self, key: Any, looked: Iterable[Looked]) -> None:
        """What a remembered result was made from."""
        found = frozenset(looked)
        self._kept[key] = self._same.setdefault(found, found)

    def again(self, key: Any) -> None:
        """A remembered result is used: it depends on what it was made from."""
        found = self._kept.get(key)
        if found and self._frames:
            frame = self._frames[-1]
            if id(found) not in frame.merged:
                frame.merged.add(id(found))
                frame.update(found)


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
