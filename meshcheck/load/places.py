"""Line and column of a field, computed when one has to be shown."""

from __future__ import annotations

from meshcheck.load.events import ALIAS, END, MAP, SCALAR, SEQ, Event, NotYamlError, events
from meshcheck.model.objects import Path, Place, Span
from meshcheck.model.pattern import pattern

_COMMENT = pattern(r"\s#.*$")


class _Node:
    """A value in the text, and what is in it: (key, value) of a mapping, (None, item) of a list."""

    __slots__ = ("end", "items", "kind", "place", "value")

    def __init__(self, event: Event) -> None:
        self.kind, self.value, self.place = event.kind, event.value, (event.line, event.column)
        self.end: tuple[int, int] | None = (event.end_line, event.end_column) if event.kind == SCALAR else None
        """Line and column behind it; None of a collection that is written in lines."""
        self.items: list[tuple[_Node | None, _Node]] = []


class Nodes:
    """The node tree of one document; costs as much as reading it, so it is made for documents that are shown."""

    def __init__(self, file: str, first_line: int, text: str) -> None:
        self._file, self._first, self._text = file, first_line, text
        try:
            self._root = _tree(events(text))
        except NotYamlError:
            self._root = None

    def place(self, path: Path) -> Place:
        """The place of a field, or of the nearest thing around it that is written down."""
        shown, _ = self._find(path)
        return Place(self._file, self._first + shown.place[0], shown.place[1] + 1) if shown else Place(self._file, self._first, 1)

    def span(self, path: Path) -> Span:
        """The place of a field and where it ends on that line: a key with its value when that is one word, else the key alone."""
        place = self.place(path)
        shown, node = self._find(path)
        line = self.line(place.line)
        if shown is None or node is None:
            return Span(place, max(place.column + 1, len(line) + 1))
        on_line = node.end is not None and node.end[0] == shown.place[0]
        if node.end is not None and node.kind == SCALAR and on_line:
            return Span(place, node.end[1] + 1)
        if shown.place != node.place:  # a key: up to its colon
            return Span(place, max(place.column + 1, _key_end(line, shown.place[1]) + 1))
        return Span(place, node.end[1] + 1 if node.end is not None and on_line else len(line) + 1)

    def line(self, number: int) -> str:
        """A line of the document, by its number in the file, without white space and comment at its end."""
        lines = self._text.split("\n")
        at = number - self._first
        return _COMMENT.sub("", lines[at]).rstrip() if 0 <= at < len(lines) else ""

    def _find(self, path: Path) -> tuple[_Node | None, _Node | None]:
        """(what is shown, the value) of a field, or of the nearest thing around it that is written down; (None, None) of no document."""
        shown = node = self._root
        for step in path:
            found = _child(node, step)
            if found is None:
                break
            shown, node = found
        return shown, node


def _tree(found: list[Event]) -> _Node | None:
    """The nodes of a document; aliases are what they stand for."""
    root: _Node | None = None
    stack: list[_Node] = []
    key: list[_Node | None] = []
    anchors: dict[str, _Node] = {}
    for event in found:
        if event.kind == END:
            node = stack.pop()
            key.pop()
            if event.end:
                node.end = event.end_line, event.end_column
        else:
            if event.kind == ALIAS:
                if event.anchor not in anchors or anchors[event.anchor] in stack:
                    raise NotYamlError(f"unknown anchor `{event.anchor}`")
                node = anchors[event.anchor]
            else:
                node = _Node(event)
                if event.anchor is not None:
                    anchors[event.anchor] = node
            if not stack:
                if root is not None:
                    raise NotYamlError("more than one document")
                root = node
            elif stack[-1].kind == SEQ:
                stack[-1].items.append((None, node))
            elif key[-1] is None:
                key[-1] = node
            else:
                stack[-1].items.append((key[-1], node))
                key[-1] = None
            if event.kind in (MAP, SEQ):
                stack.append(node)
                key.append(None)
    return root


def _key_end(line: str, start: int) -> int:
    """Column behind a key that starts at a column."""
    quote = line[start : start + 1]
    if quote in ("'", '"'):
        end = line.find(quote, start + 1)
        return end + 1 if end > 0 else len(line)
    end = line.find(":", start)
    return end if end > 0 else len(line)


def _child(node: _Node | None, step: str | int) -> tuple[_Node, _Node] | None:
    """(what is shown, the value) of one step down: the key of an entry, the item of a list."""
    if node is None:
        return None
    if node.kind == SEQ:
        if isinstance(step, int) and step < len(node.items):
            _, item = node.items[step]
            return item, item
        return None
    merged: list[_Node] = []
    for key, value in reversed(node.items):  # of duplicates the last one counts
        if key is None or key.kind != SCALAR:
            continue
        if key.value == str(step):
            return key, value
        if key.value == "<<":
            merged += [item for _, item in value.items] if value.kind == SEQ else [value]
    for other in merged:
        if found := _child(other, step):
            return found
    return None
