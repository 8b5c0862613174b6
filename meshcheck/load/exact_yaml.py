"""YAML as the API server gets it from kubectl: sigs.k8s.io/yaml, that is YAML 1.1 with Go's ideas of scalars.

What differs from other readers, beside scalars: the last of duplicate keys wins, and `<<` puts its entries where it stands: they replace
those above it, and those below replace them. Sources: kubernetes-sigs/yaml:goyaml.v2/decode.go:merge; the answers of a real API server in
tests/conformance/api-validation, and of the Go reader in tests/unit/load/go-yaml.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from meshcheck.errors import UnreadableError
from meshcheck.load import plain_events
from meshcheck.load.events import ALIAS, END, MAP, SCALAR, SEQ, Event, libyaml_events
from meshcheck.load.plain_events import NotPlainError
from meshcheck.load.scalars import key_of, number, resolved

MOST_DEPTH = 250
"""Levels of nesting; the deepest schema of Kubernetes needs about sixty."""
MOST_NODES = 2_000_000
"""Values in one document after its aliases are followed."""
MOST_SCALAR = 4 * 1024 * 1024
"""Characters of one text; the API server takes objects of 1.5 MiB."""


class _Frame:
    """A collection under construction."""

    __slots__ = ("anchor", "key", "keyed", "merged", "value", "weight")

    def __init__(self, value: Any, anchor: str | None) -> None:
        self.value, self.anchor = value, anchor
        self.keyed, self.key, self.weight = False, "", 1
        self.merged: set[str] = set()


def read(text: str, duplicates: list[tuple[int, str]] | None = None) -> Any:
    """One document's value. Raises UnreadableError with the line (counted from 1) and column of the trouble.

    `duplicates` receives the line and the key of each entry that a later one replaces.
    """
    try:
        return _build(plain_events.events(text), duplicates)
    except NotPlainError:
        pass
    import yaml

    try:
        return _build(libyaml_events(text), duplicates)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = (error.problem or error.context or "not YAML").replace("'", "`")
        if mark and "maximum nesting depth" in what:  # newer versions of libyaml have a limit of their own, and tell the column
            raise UnreadableError(f"line {mark.line + 1}: nested more than {MOST_DEPTH} levels deep") from None
        raise UnreadableError(f"line {mark.line + 1}, column {mark.column + 1}: {what}" if mark else what) from None
    except yaml.reader.ReaderError:
        raise UnreadableError(_bad_character(text, yaml.reader.Reader.NON_PRINTABLE)) from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise UnreadableError(f"not YAML: {str(error).splitlines()[0] if str(error) else type(error).__name__}") from None


def _bad_character(text: str, not_allowed: re.Pattern[str]) -> str:
    found = not_allowed.search(text)
    if found is None:
        return "not YAML: a character that is not allowed"
    line, column = text.count("\n", 0, found.start()) + 1, found.start() - text.rfind("\n", 0, found.start())
    return f"line {line}, column {column}: character U+{ord(found[0]):04X} is not allowed in YAML"


def _build(events: Iterable[Event], duplicates: list[tuple[int, str]] | None) -> Any:
    stack: list[_Frame] = []
    anchors: dict[str, tuple[Any, int]] = {}
    result: Any = None
    done = False
    for event in events:
        kind = event.kind
        if kind == SCALAR:
            if len(event.value) > MOST_SCALAR:
                raise UnreadableError(f"line {event.line + 1}: a text of more than {MOST_SCALAR >> 20} MiB; the API server takes 1.5 MiB")
            value, weight = _scalar_event(event), 1
            if event.anchor:
                anchors[event.anchor] = value, weight
        elif kind == ALIAS:
            if event.anchor not in anchors:
                raise UnreadableError(f"line {event.line + 1}: unknown anchor `{event.anchor}`")
            value, weight = anchors[event.anchor]
        elif kind in (MAP, SEQ):
            if len(stack) >= MOST_DEPTH:
                raise UnreadableError(f"line {event.line + 1}: nested more than {MOST_DEPTH} levels deep")
            stack.append(_Frame({} if kind == MAP else [], event.anchor))
            continue
        elif kind == END:
            frame = stack.pop()
            value, weight = frame.value, frame.weight
            if frame.anchor:
                anchors[frame.anchor] = value, weight
        elif done:
            raise UnreadableError(f"line {event.line + 1}: a second document where one was expected")
        else:
            continue
        if not stack:
            result, done = number(value) if type(value) is float else value, True
            continue
        _add(stack[-1], value, weight, event, duplicates)
    return result


def _add(frame: _Frame, value: Any, weight: int, event: Event, duplicates: list[tuple[int, str]] | None) -> None:
    """Put a finished value into the collection around it."""
    frame.weight += weight
    if frame.weight > MOST_NODES:
        raise UnreadableError(f"line {event.line + 1}: aliases make the document larger than {MOST_NODES:,} values")
    if isinstance(frame.value, list):
        frame.value.append(number(value) if type(value) is float else value)
    elif not frame.keyed:
        plain_merge = value == "<<" and event.kind == SCALAR and event.plain
        frame.key, frame.keyed = ("<<" if plain_merge else key_of(value)), True
        if plain_merge:
            frame.key = "\0merge"
        elif duplicates is not None and frame.key in frame.value and frame.key not in frame.merged:
            duplicates.append((event.line + 1, frame.key))
    else:
        frame.keyed = False
        if frame.key == "\0merge":
            for merged in _merged(value):
                frame.value.update(merged)
                frame.merged.update(merged)
        else:
            frame.value[frame.key] = number(value) if type(value) is float else value


def _merged(value: Any) -> list[Any]:
    items = value if isinstance(value, list) else [value]
    if not all(isinstance(item, dict) for item in items):
        raise UnreadableError("`<<` needs a mapping or a list of mappings")
    return items[::-1]  # the first of several wins


_TAGS: dict[str, tuple[type, ...]] = {"int": (int,), "float": (float, int), "bool": (bool,), "null": (type(None),)}


def _scalar_event(event: Event) -> Any:
    tag, text = event.tag, event.value
    if tag is None:
        return resolved(text) if event.plain else text
    short = tag.removeprefix("tag:yaml.org,2002:")
    if short == "binary":
        return _decoded(text, event)
    if short not in _TAGS:
        return text
    value = resolved(text)
    if type(value) not in _TAGS[short]:
        raise UnreadableError(f"line {event.line + 1}, column {event.column + 1}: `{text[:40]}` is no `!!{short}`")
    return float(value) if short == "float" else value


def _decoded(text: str, event: Event) -> str:
    from base64 import b64decode

    try:
        return b64decode(text.replace("\n", "").replace("\r", ""), validate=True).decode("utf-8", "replace")
    except ValueError:
        raise UnreadableError(f"line {event.line + 1}: the text of `!!binary` is not base64") from None
