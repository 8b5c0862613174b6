"""What a change would make of the text around it, without the whole file."""

from __future__ import annotations

from collections.abc import Callable

from meshcheck.model.json_patch import PatchError
from meshcheck.model.objects import Origin
from meshcheck.model.record import record
from meshcheck.patch import document
from meshcheck.patch.changes import Change
from meshcheck.patch.document import CannotEditError

TextOf = Callable[[Origin | None], tuple[int, str] | None]
"""(first line counted from 1, text) of the document that holds an object."""


@record
class Preview:
    """A document before and after a change. A new object has no text before; `reason` says why there is none after."""

    change: Change
    line: int
    """The first line of the document in its file; 0 for a new object."""
    old: str
    new: str | None
    reason: str = ""


def preview(change: Change, text_of: TextOf) -> Preview:
    """The document of a change before and after it."""
    found = text_of(change.origin)
    if change.new is not None:
        return Preview(change, 0, "", document.written(dict(change.new), found[1] if found else ""))
    if found is None or change.origin is None:
        return Preview(change, 0, "", None, "it was not read from a text")
    line, text = found
    try:
        return Preview(change, line, text, document.edited(text, change.steps, change.origin.inside))
    except (CannotEditError, PatchError) as error:
        at = line + error.line - 1 if isinstance(error, CannotEditError) and error.line else line
        return Preview(change, at, text, None, str(error))
