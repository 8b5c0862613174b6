"""What stands where in a document of YAML or JSON: a flat row of events, each with its place.

Documents in plain words, nearly all there are, are looked through by `plain_events`, which costs nothing to load; the others by libyaml.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from meshcheck.load import plain_events
from meshcheck.load.plain_events import ALIAS, DOCUMENT, END, MAP, SCALAR, SEQ, Event, NotPlainError
from meshcheck.model.pattern import pattern

__all__ = ["ALIAS", "DOCUMENT", "END", "MAP", "SCALAR", "SEQ", "Event", "NotYamlError", "events", "libyaml_events"]

_PAIR = pattern(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
"""Halves of characters, which JSON writes and YAML does not know."""


class NotYamlError(Exception):
    """The text is no YAML."""


def events(text: str) -> list[Event]:
    """The events of the document; none of an empty one. Raises NotYamlError."""
    try:
        return plain_events.events(text)
    except NotPlainError:
        pass
    import yaml

    try:
        return [event for event in libyaml_events(_PAIR.sub(r"\\ufffd", text)) if event.kind != DOCUMENT]
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise NotYamlError(str(error)) from None


def libyaml_events(text: str) -> Iterator[Event]:
    """The events one by one, those of documents, too. Raises yaml.YAMLError where the text is none."""
    import yaml

    kinds = {
        yaml.ScalarEvent: SCALAR,
        yaml.AliasEvent: ALIAS,
        yaml.MappingStartEvent: MAP,
        yaml.SequenceStartEvent: SEQ,
        yaml.MappingEndEvent: END,
        yaml.SequenceEndEvent: END,
        yaml.DocumentStartEvent: DOCUMENT,
    }
    loader: Any = getattr(yaml, "CLoader", yaml.Loader)
    parsed: Iterator[Any] = yaml.parse(text, Loader=loader)
    for event in parsed:
        if kind := kinds.get(type(event)):
            start, end = event.start_mark, event.end_mark
            yield Event(
                kind,
                start.index,
                start.line,
                start.column,
                end.index,
                end.line,
                end.column,
                getattr(event, "value", ""),
                getattr(event, "style", None) or "",
                bool(getattr(event, "flow_style", False)),
                getattr(event, "anchor", None),
                getattr(event, "tag", None),
                kind == SCALAR and event.implicit[0],
            )
