"""Sources in; documents, and what could not be read, out. One bad document never loses the rest."""

from __future__ import annotations

import re
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from meshcheck.errors import UnreadableError
from meshcheck.load import fast_yaml, folders
from meshcheck.load.encoding import decoded, require_text
from meshcheck.load.repeated_keys import has_all_keys, may_repeat_keys
from meshcheck.load.split import is_blank, split
from meshcheck.model.cluster_kinds import cluster_kinds
from meshcheck.model.coverage import Coverage
from meshcheck.model.objects import CLUSTER, Origin, Path, Place, Span, dotted
from meshcheck.model.pattern import pattern
from meshcheck.model.record import record, value

if TYPE_CHECKING:
    from meshcheck.load.places import Nodes
    from meshcheck.model.api_resources import Resource

MOST_FILE = 512 * 1024 * 1024
MOST_DOCUMENT = 8 * 1024 * 1024
_LIST = pattern(r"^kind: *[\"']?\w*List\b", re.MULTILINE)
_AT = pattern(r"line (\d+)(?:, column (\d+))?:? ?")
_TEMPLATE = pattern(r"\{\{[-\s]*(?:\.|if|range|include|template|with|end|define)")


@record
class Document:
    """One object as it was written: a YAML document, or an item of a `List`."""

    value: dict[str, Any]
    origin: Origin
    accepted: bool = False
    """It comes from an API server, which has admitted it, whatever this version of meshcheck thinks of it."""


@value
class NotRead:
    """A document or file that could not be used."""

    place: Place
    reason: str
    fatal: bool = True
    """False for files that are simply no manifests (no `kind`), such as Helm values."""


class Reading:
    """All that was read from all sources. `place` finds a field again.

    `exact`: keys that stand twice are looked for (`lint`). `on_file` is told how many files were read.
    """

    def __init__(self, exact: bool = False, on_file: Callable[[int], None] | None = None) -> None:
        self.exact, self.on_file = exact, on_file
        self.documents: list[Document] = []
        self.not_read: list[NotRead] = []
        self.duplicate_keys: list[tuple[Place, str]] = []
        self.files = 0
        self.coverage: Coverage | None = None
        """What is known in full, where a source says so: a cluster or a snapshot."""
        self.torn: tuple[str, ...] = ()
        """Kinds of a cluster that changed faster than they could be read: their objects are of more than one moment."""
        self.moments: tuple[str, ...] = ()
        """When the runs began that a snapshot is of, where one has gone on where another had failed."""
        self.redacted: tuple[str, ...] = ()
        """Snapshots whose names, hosts and addresses are replaced."""
        self.served: tuple[Resource, ...] = ()
        """All resources of the API server that was read; empty where none was."""
        self._texts: dict[tuple[str, int], tuple[int, str]] = {}
        self._by_origin: dict[Origin, dict[str, Any]] = {}
        self._nodes: dict[tuple[str, int], Nodes] = {}
        self._lines: dict[str, list[tuple[int, str]]] = {}

    def place(self, origin: Origin | None, path: Path = ()) -> Place | None:
        """Line and column of a field of an object; line 0 for an object that has no text, such as one from a cluster."""
        if origin is not None and origin.in_cluster:
            return Place(origin.file, 0, 0, dotted(path))
        nodes = self._nodes_of(origin)
        return nodes.place((*origin.inside, *path)) if nodes and origin else None

    def span(self, origin: Origin | None, path: Path = ()) -> Span | None:
        """Line and column of a field of an object, and where it ends on that line."""
        if origin is not None and origin.in_cluster:
            return Span(Place(origin.file, 0, 0, dotted(path)), 0)
        nodes = self._nodes_of(origin)
        return nodes.span((*origin.inside, *path)) if nodes and origin else None

    def _nodes_of(self, origin: Origin | None) -> Nodes | None:
        if origin is None or (origin.file, origin.document) not in self._texts:
            return None
        key = origin.file, origin.document
        if key not in self._nodes:
            from meshcheck.load.places import Nodes

            self._nodes[key] = Nodes(origin.file, *self._texts[key])
        return self._nodes[key]

    def line(self, place: Place) -> str:
        """The line of a place as it was written; empty where no text is known."""
        if not self._lines:
            for file, first, text in self.texts():
                self._lines.setdefault(file, []).append((first, text))
        parts = self._lines.get(place.file, [])
        at = bisect_right(parts, place.line, key=lambda part: part[0]) - 1
        if at < 0:
            return ""
        lines = parts[at][1].split("\n")
        number = place.line - parts[at][0]
        return lines[number].rstrip("\r") if number < len(lines) else ""

    def texts(self) -> Iterator[tuple[str, int, str]]:
        """(file, first line counted from 1, text) of each document that came from a text, in the order of reading."""
        for (file, _), (line, text) in self._texts.items():
            yield file, line, text

    def text_of(self, origin: Origin | None) -> tuple[int, str] | None:
        """(first line counted from 1, text) of the document that holds an object; None where it was no text."""
        return self._texts.get((origin.file, origin.document)) if origin is not None else None

    def value_of(self, origin: Origin | None) -> dict[str, Any] | None:
        """The object that was read at an origin, as it was written."""
        if not self._by_origin:
            self._by_origin = {document.origin: document.value for document in self.documents}
        return self._by_origin.get(origin) if origin else None

    # ---- sources ----

    def add_path(self, path: str) -> None:
        """A file, a folder, or `-` for standard input. Raises UnreadableError when it does not exist."""
        if path == "-":
            self.add_bytes("<stdin>", sys.stdin.buffer.read(MOST_FILE + 1))
            return
        found = False
        for file in folders.files_of(path):
            found = True
            try:
                with open(file, "rb") as stream:
                    raw = stream.read(MOST_FILE + 1)
            except OSError as error:
                self._note(Place(file, 1, 1), (error.strerror or str(error)).lower())
                continue
            self.add_bytes(file, raw)
        if not found:
            self._note(Place(path, 1, 1), "the folder holds no `*.yaml`, `*.yml` or `*.json`", fatal=False)

    def add_bytes(self, name: str, raw: bytes) -> None:
        """Bytes of a file; `name` stands in places."""
        self.files += 1
        if self.on_file:
            self.on_file(self.files)
        if len(raw) > MOST_FILE:
            self._note(Place(name, 1, 1), f"larger than {MOST_FILE >> 20} MiB; give a folder of smaller files")
            return
        try:
            text, faults = decoded(raw), False
        except UnreadableError as error:
            self._note_broken(name, 1, "", str(error))
            return
        except UnicodeDecodeError:
            # Only the documents that hold them are lost to bytes that mean nothing.
            text, faults = raw.decode("utf-8-sig", "surrogateescape"), True
        self.add_text(name, text, faults)

    def add_text(self, name: str, text: str, faults: bool = False) -> None:
        """YAML or JSON text; `name` stands in places. `faults`: there are bytes in it that are no text."""
        if text.startswith("\ufeff"):
            text = text[1:]
        if text.lstrip()[:1] in ("{", "[") and not faults and self._add_json(name, text):
            return
        plain = fast_yaml.may_read(text)
        for number, (_, line, part) in enumerate(split(text)):
            if not is_blank(part):
                self._add_document(name, number, line, part, plain)

    def add_values(self, name: str, values: list[dict[str, Any]]) -> None:
        """Objects that are values already: a batch line's, an API server's."""
        for number, item in enumerate(values):
            self._add_value(item, Origin(name, number), Place(name, 1, 1))

    def add_objects(self, values: Iterable[dict[str, Any]]) -> None:
        """Objects that an API server holds. Their places are their names: they have no lines."""
        for item in values:
            meta = item["metadata"]
            name = f"{meta['namespace']}/{meta['name']}" if meta.get("namespace") else meta["name"]
            origin = Origin(f"{CLUSTER}{item['kind']} {name}", _same_name(item["apiVersion"].rpartition("/")[0], item["kind"]))
            self.documents.append(Document(item, origin, True))

    # ---- documents ----

    def _add_json(self, name: str, text: str) -> bool:
        from meshcheck.load import json_text

        try:
            values = json_text.read(text)
        except (ValueError, RecursionError):
            return False  # YAML in flow style, templates: the YAML readers say what is wrong
        for number, (line, part, read) in enumerate(values):
            self._texts[name, number] = line, part
            for n, item in enumerate(read if isinstance(read, list) else [read]):
                inside: Path = (n,) if isinstance(read, list) else ()
                self._add_value(item, Origin(name, number, inside), Place(name, line, 1))
        return True

    def _add_document(self, name: str, number: int, line: int, part: str, plain: bool) -> None:
        self._texts[name, number] = line, part
        duplicates: list[tuple[int, str]] = []
        try:
            if not part.isascii():
                require_text(part)
            if len(part) > MOST_DOCUMENT and not _LIST.search(part):
                raise UnreadableError(f"a document of more than {MOST_DOCUMENT >> 20} MiB; the API server takes objects of 1.5 MiB")
            quickly = plain or fast_yaml.may_read(part)
            value = fast_yaml.read(part) if quickly else None
            if not quickly or (self.exact and not has_all_keys(part, value) and may_repeat_keys(part)):
                from meshcheck.load import exact_yaml

                value = exact_yaml.read(part, duplicates)
        except UnreadableError as error:
            self._note_broken(name, line, part, str(error))
            return
        self.duplicate_keys += [(Place(name, line + at - 1, 1), key) for at, key in duplicates]
        self._add_value(value, Origin(name, number), Place(name, line, 1))

    def _add_value(self, value: Any, origin: Origin, place: Place) -> None:
        if value is None:
            return
        if not isinstance(value, dict):
            self._note(self._place_inside(origin, place), f"not an object but {_words(value)}", fatal=False)
            return
        kind, items = value.get("kind"), value.get("items")
        if kind == "List" and items is None:
            return
        if isinstance(kind, str) and kind.endswith("List") and isinstance(items, list):
            for number, item in enumerate(items):
                self._add_value(_with_list_type(item, value), origin._replace(inside=(*origin.inside, "items", number)), place)
        elif not isinstance(kind, str) or not isinstance(value.get("apiVersion"), str):
            missing = [word for word in ("apiVersion", "kind") if not isinstance(value.get(word), str)]
            self._note(
                self._place_inside(origin, place),
                f"no {' and no '.join(f'`{word}`' for word in missing)}: not a Kubernetes object",
                fatal="kind" in value or "apiVersion" in value,
            )
        else:
            self.documents.append(Document(value, origin))

    def _place_inside(self, origin: Origin, place: Place) -> Place:
        """The place of an item of a list; that of the document when the item is the document."""
        return (self.place(origin) or place) if origin.inside else place

    def _note(self, place: Place, reason: str, fatal: bool = True) -> None:
        self.not_read.append(NotRead(place, reason, fatal))

    def _note_broken(self, name: str, line: int, part: str, reason: str) -> None:
        column = 1
        if at := _AT.match(reason):
            line, column, reason = line + int(at[1]) - 1, int(at[2] or 1), reason[at.end() :]
        if _TEMPLATE.search(part):
            reason = f"a template, not a manifest ({reason}); render it, with `--helm CHART` for a Helm chart"
        self._note(Place(name, line, column), reason)


@cache
def _same_name(group: str, kind: str) -> int:
    """Which of the kinds of one name a kind is: Istio and Gateway API both have a Gateway."""
    groups = [known.group for known in cluster_kinds() if known.kind == kind]
    return groups.index(group) if group in groups else 0


def _with_list_type(item: Any, around: dict[str, Any]) -> Any:
    """An item of a typed list (`PodList`) without its own type gets the list's."""
    kind = around["kind"].removesuffix("List")
    if isinstance(item, dict) and kind and "kind" not in item:
        return {"apiVersion": around.get("apiVersion"), "kind": kind, **item}
    return item


def _words(value: Any) -> str:
    return {list: "a list", str: "a text", bool: "a boolean", int: "a number", float: "a number"}.get(type(value), "nothing")
