"""Line and column of a field, computed when one has to be shown."""

from __future__ import annotations

import re
from typing import Any

import yaml

from meshcheck.model.objects import Path, Place

_PAIR = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
"""Halves of characters, which JSON writes and YAML does not know."""
_LOADER: Any = getattr(yaml, "CLoader", yaml.Loader)


class Nodes:
    """The node tree of one document; costs as much as reading it, so it is made for documents that are shown."""

    def __init__(self, file: str, first_line: int, text: str) -> None:
        self._file, self._first = file, first_line
        try:
            self._root: Any = yaml.compose(_PAIR.sub(r"\\ufffd", text), Loader=_LOADER)
        except (yaml.YAMLError, RecursionError):
            self._root = None

    def place(self, path: Path) -> Place:
        """The place of a field, or of the nearest thing around it that is written down."""
        node, mark = self._root, None
        for step in path:
            found = _child(node, step)
            if found is None:
                break
            mark, node = found
        mark = mark or (self._root.start_mark if self._root is not None else None)
        return Place(self._file, self._first + mark.line, mark.column + 1) if mark else Place(self._file, self._first, 1)


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
