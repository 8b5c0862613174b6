"""Line and column of a field, computed when one has to be shown."""

from __future__ import annotations

from typing import Any

import yaml

from meshcheck.model.objects import Path, Place, Span
from meshcheck.model.pattern import pattern

_PAIR = pattern(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
"""Halves of characters, which JSON writes and YAML does not know."""
_LOADER: Any = getattr(yaml, "CLoader", yaml.Loader)


class Nodes:
    """The node tree of one document; costs as much as reading it, so it is made for documents that are shown."""

    def __init__(self, file: str, first_line: int, text: str) -> None:
        self._file, self._first, self._text = file, first_line, text
        try:
            self._root: Any = yaml.compose(_PAIR.sub(r"\\ufffd", text), Loader=_LOADER)
        except (yaml.YAMLError, RecursionError):
            self._root = None

    def place(self, path: Path) -> Place:
        """The place of a field, or of the nearest thing around it that is written down."""
        mark, _ = self._find(path)
        return Place(self._file, self._first + mark.line, mark.column + 1) if mark else Place(self._file, self._first, 1)

    def span(self, path: Path) -> Span:
        """The place of a field and where it ends on that line: a key with its value when that is one word, else the key alone."""
        place = self.place(path)
        mark, node = self._find(path)
        line = self.line(place.line)
        if mark is None or node is None:
            return Span(place, max(place.column + 1, len(line) + 1))
        end = node.end_mark
        if isinstance(node, yaml.ScalarNode) and end.line == mark.line:
            return Span(place, end.column + 1)
        if mark.index != node.start_mark.index:  # a key: up to its colon
            return Span(place, max(place.column + 1, _key_end(line, mark.column) + 1))
        return Span(place, end.column + 1 if end.line == mark.line else len(line) + 1)

    def line(self, number: int) -> str:
        """A line of the document, by its number in the file, without white space and comment at its end."""
        lines = self._text.split("\n")
        at = number - self._first
        return _COMMENT.sub("", lines[at]).rstrip() if 0 <= at < len(lines) else ""

    def _find(self, path: Path) -> tuple[Any, Any]:
        """(mark, node) of a field, or of the nearest thing around it that is written down; (None, None) of no document."""
        node, mark = self._root, None
        for step in path:
            found = _child(node, step)
            if found is None:
                break
            mark, node = found
        return mark or (self._root.start_mark if self._root is not None else None), node


_COMMENT = pattern(r"\s#.*$")


def _key_end(line: str, start: int) -> int:
    """Column behind a key that starts at a column."""
    quote = line[start : start + 1]
    if quote in ("'", '"'):
        end = line.find(quote, start + 1)
        return end + 1 if end > 0 else len(line)
    end = line.find(":", start)
    return end if end > 0 else len(line)


def _child(node: Any, step: str | int) -> tuple[Any, Any] | None:
    """(mark to show, node) of one step down: the key of an entry, the item of a list."""
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        item = node.value[step]
        return item.start_mark, item
    if isinstance(node, yaml.MappingNode):
        merged: list[Any] = []
        for key, value in reversed(node.value):  # of duplicates the last one counts
            if key.value == str(step):
                return key.start_mark, value
            if key.value == "<<":
                merged += value.value if isinstance(value, yaml.SequenceNode) else [value]
        for other in merged:
            if found := _child(other, step):
                return found
    return None
