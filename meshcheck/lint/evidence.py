"""What rules look at: the World, the documents as they were written, and the trace engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from meshcheck.decode.collect import Document
from meshcheck.decode.registry import headings_of
from meshcheck.model.objects import Meta, ObjectRef, Origin, Place
from meshcheck.model.question import Question
from meshcheck.model.trace import Trace
from meshcheck.semantics.tracing.trace import trace
from meshcheck.semantics.world import World
from meshcheck.semantics.world.reads import Looked

T = TypeVar("T")


class Evidence:
    """One World and the documents that it was made of.

    Objects that a cluster would refuse are not in `world`; they are in `written`.
    """

    def __init__(
        self,
        world: World,
        documents: Iterable[Document],
        duplicate_keys: Iterable[tuple[Place, str]] = (),
        not_read: Iterable[tuple[Place, str]] = (),
        before: World | None = None,
    ) -> None:
        self.world = world
        self._documents = tuple(documents)
        self.duplicate_keys = tuple(duplicate_keys)
        """(place of the later entry, key) of keys that stand twice in a mapping."""
        self.not_read = tuple(not_read)
        """(place, reason) of documents that could not be read."""
        self.before = before
        """The state that `world` replaces, where there is one: rules about changes compare the two."""
        self._kept: dict[Any, Any] = {}

    @property
    def documents(self) -> tuple[Document, ...]:
        """All documents, of kinds that matter and of others."""
        for heading in self.world.coverage.read if self.world.coverage is not None else ():
            self.world.note(heading)
        return self._documents

    def of(self, kind: str) -> tuple[Any, ...]:
        """Decoded objects of a kind, in the order of reading (`Workload` for pods and their controllers)."""
        return self.world.inventory.of(kind)

    def written(self, *kinds: str) -> Iterator[tuple[ObjectRef, Origin, Mapping[str, Any]]]:
        """(identity, origin, value) of all documents of some kinds as they were written, whether a cluster takes them or not."""
        table = self.once("documents by kind", self._by_kind)
        for kind in kinds:
            for heading in headings_of(kind):
                self.world.note(heading)
            for document in table.get(kind, ()):
                yield reference(document.value), document.origin, document.value

    def raw(self, meta: Meta) -> Mapping[str, Any]:
        """An object as it was written, for fields that its decoded form leaves out; empty where it was not read from a document."""
        table = self.once("documents by origin", lambda: {d.origin: d.value for d in self._documents})
        value: Mapping[str, Any] = table.get(meta.origin, {}) if meta.origin else {}
        return value

    def trace(self, question: Question) -> Trace:
        """What the trace engine says, without reasons."""
        return trace(self.world, question, explain=False)

    def once(self, key: Any, compute: Callable[[], T]) -> T:
        """The value computed for a key the first time it was asked for; rules share what is costly. Keys begin with a word."""
        reads = self.world.reads
        if key not in self._kept:
            if reads is None:
                self._kept[key] = compute()
            else:
                reads.begin()
                try:
                    self._kept[key] = compute()
                finally:
                    looked = reads.end()
                reads.keep((id(self), key), looked)
        if reads is not None:
            reads.again((id(self), key))
        kept: T = self._kept[key]
        return kept

    @contextmanager
    def looking(self) -> Iterator[set[Looked]]:
        """What is looked at inside; nothing is noted where nobody says what else there is (files)."""
        if self.world.reads is None:
            yield set()
            return
        with self.world.reads.frame() as looked:
            yield looked

    def _by_kind(self) -> dict[str, list[Document]]:
        out: dict[str, list[Document]] = {}
        for document in self._documents:
            out.setdefault(document.value["kind"], []).append(document)
        return out


def reference(value: Mapping[str, Any]) -> ObjectRef:
    """The identity of an object as it was written; a name that is no text is empty."""
    raw = value.get("metadata")
    meta = raw if isinstance(raw, dict) else {}
    namespace, name = meta.get("namespace"), meta.get("name") or meta.get("generateName")
    return ObjectRef(
        str(value.get("apiVersion")),
        str(value.get("kind")),
        namespace if isinstance(namespace, str) else None,
        name if isinstance(name, str) else "",
    )
