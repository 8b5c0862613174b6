"""What the last pass found and what it looked at for it: what has not been touched since is not looked at again.

A World of a cluster notes for every answer which kinds, of which namespaces, it depends on (`semantics/world/reads.py`). An answer is kept
as long as none of those objects is another one; all of them while Istio's settings are the same, and what is known at all. What depends on
the time is asked again by the passes that come without a change (`watch.atLeastEvery`), which remember nothing but decoded objects.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, TypeVar

from meshcheck.decode.collect import Document, Remembered
from meshcheck.decode.registry import bucket_of
from meshcheck.model.cluster_kinds import cluster_kinds
from meshcheck.model.objects import Origin
from meshcheck.semantics.world import World
from meshcheck.semantics.world.reads import Looked

T = TypeVar("T")
_OF_THE_CLUSTER = frozenset(kind.heading for kind in cluster_kinds() if not kind.namespaced)
_MAKE_NAMESPACES = frozenset(["Workload", "Service", "ServiceAccount"])
"""Headings of objects that a namespace is known by, also where it was not read (`World.namespaces`)."""


class Touched:
    """Which objects are others than in the last pass."""

    def __init__(self) -> None:
        self._places: set[tuple[str, str | None]] = set()

    def add(self, heading: str, namespace: str | None) -> None:
        """An object of a namespace is new, changed or gone."""
        self._places |= {(heading, namespace), (heading, None)}

    def __contains__(self, looked: Looked) -> bool:
        namespace = None if looked.heading in _OF_THE_CLUSTER and looked.heading != "Namespace" else looked.namespace
        return (looked.heading, namespace) in self._places

    def any(self, looked: Iterable[Looked]) -> bool:
        """Whether any of what was looked at is touched."""
        return bool(self._places) and any(item in self for item in looked)


class Memory:
    """One for a watch; used by the thread that checks."""

    def __init__(self) -> None:
        self.decoded = Remembered()
        self.reused = self.computed = 0
        """Answers of this pass that were kept from earlier ones, and those that were not."""
        self._kept: dict[Hashable, tuple[frozenset[Looked], Any]] = {}
        self._values: dict[Origin, dict[str, Any]] = {}
        self._known: tuple[object, ...] = ()
        self._settings: object = None

    def forget(self) -> None:
        """Compute everything again."""
        self._kept = {}

    def begin(self, documents: Iterable[Document], world: World, settings: object) -> None:
        """A pass begins: forget what rests on objects that are others now, and everything where more than objects has changed."""
        self.reused = self.computed = 0
        values = {document.origin: document.value for document in documents}
        coverage = world.coverage
        assert coverage is not None
        known = (coverage.read, coverage.gaps, coverage.named, repr(world.mesh), repr(world.revisions))
        touched = _touched(self._values, values)
        if self._known != known or self._settings is not settings:
            self._kept = {}
        self._kept = {key: kept for key, kept in self._kept.items() if not touched.any(kept[0])}
        self._values, self._known, self._settings = values, known, settings

    def recall(self, key: Hashable, compute: Callable[[], tuple[frozenset[Looked], T]]) -> T:
        """What was found under a key, or what is found now. `compute` says what it looked at, too."""
        kept = self._kept.get(key)
        if kept is None:
            self.computed += 1
            kept = self._kept[key] = compute()
        else:
            self.reused += 1
        found: T = kept[1]
        return found


def recalled(memory: Memory | None, world: World, key: Hashable, compute: Callable[[], T]) -> T:
    """What is computed of a World, or what was computed before of one that is the same where it matters."""
    if memory is None or world.reads is None:
        return compute()
    reads = world.reads

    def noting() -> tuple[frozenset[Looked], T]:
        with reads.frame() as looked:
            found = compute()
        return frozenset(looked), found

    return memory.recall(key, noting)


def _touched(before: Mapping[Origin, dict[str, Any]], now: Mapping[Origin, dict[str, Any]]) -> Touched:
    """Values are compared by what they are, not by what they say: who follows a cluster keeps those that say the same."""
    touched = Touched()
    changed = [[value for origin, value in old.items() if new.get(origin) is not value] for old, new in ((before, now), (now, before))]
    for value in (*changed[0], *changed[1]):
        heading, meta = _heading(value), value["metadata"]
        touched.add(heading, meta["name"] if heading in _OF_THE_CLUSTER else meta.get("namespace"))
    if any(_heading(value) in _MAKE_NAMESPACES for value in (*changed[0], *changed[1])):
        for namespace in _lived_in(before) ^ _lived_in(now):
            touched.add("Namespace", namespace)
    return touched


def _heading(value: Mapping[str, Any]) -> str:
    return bucket_of(value["apiVersion"], value["kind"])


def _lived_in(values: Mapping[Origin, dict[str, Any]]) -> set[str]:
    """Namespaces that are known by what is in them."""
    return {value["metadata"].get("namespace", "") for value in values.values() if _heading(value) in _MAKE_NAMESPACES}
