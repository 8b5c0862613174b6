"""Changes of many objects over many files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from meshcheck.load import json_text
from meshcheck.load.split import is_blank, split
from meshcheck.model.json_patch import PatchError, Step
from meshcheck.model.objects import ObjectRef, Origin, Place
from meshcheck.model.record import record, value
from meshcheck.model.trace import Fix
from meshcheck.patch import document
from meshcheck.patch.document import CannotEditError

_RENDERED = {
    "kustomize": "it was rendered by kustomize: change the sources of the overlay",
    "helm": "it was rendered by helm: change the chart or its values",
    "<stdin>": "it was read from standard input",
    "cluster": "it is for the cluster, and not for a file",
}


@record
class Change:
    """What to change of one object.

    `steps` is JSON Patch relative to the object. A new object has `new` instead, and `origin` is that of an object beside which it shall
    stand (None: in a file of its own).
    """

    object: ObjectRef
    origin: Origin | None
    steps: tuple[Step, ...] = ()
    new: Mapping[str, Any] | None = None


@value
class NotDone:
    """A change that was left undone, why, and where the trouble stands."""

    change: Change
    reason: str
    place: Place | None = None


@record
class Edits:
    """`texts`: the new text of each file that changes, by its name; `done` and `not_done` are the changes, each in one of them."""

    texts: Mapping[str, str]
    done: tuple[Change, ...]
    not_done: tuple[NotDone, ...]


def changes_of(fix: Fix) -> list[Change]:
    """A fix as changes of texts."""
    return [
        Change(ref, origin, new=steps[0]["value"]) if steps and steps[0]["path"] == "" else Change(ref, origin, steps)
        for (ref, steps), origin in zip(fix.patches, fix.origins)
    ]


def edit(changes: Sequence[Change], texts: Mapping[str, str]) -> Edits:
    """Apply changes to texts: file as `Origin.file` names it → its text as it was read (a byte order mark may stand first).

    Each change is applied wholly or not at all. Changes of one object are applied one after the other: a later one is relative to what the
    earlier ones made. Nothing outside of what a change touches moves by a byte, and each new text has been read again.
    """
    edited: dict[str, str] = {}
    done: list[Change] = []
    not_done: list[NotDone] = []
    for change in changes:
        name = _file_of(change)
        text = edited.get(name, texts.get(name)) if name is not None else None
        if name is None or (text is None and change.new is None):
            not_done.append(NotDone(change, _why_no_text(change)))
            continue
        try:
            edited[name] = _with_new(text, change.new) if change.new is not None else _changed(text or "", change)
            done.append(change)
        except CannotEditError as error:
            place = Place(name, error.line, 1) if error.line else None
            not_done.append(NotDone(change, str(error), place))
    return Edits({name: text for name, text in edited.items() if text != texts.get(name)}, tuple(done), tuple(not_done))


def _file_of(change: Change) -> str | None:
    """The file that a change goes to; a new object without a neighbour gets a file of its own."""
    if change.origin is None:
        return f"{change.object.kind.lower()}-{change.object.name}.yaml" if change.new is not None else None
    source = change.origin.file
    has_none = change.origin.in_cluster or source.partition(":")[0] in ("kustomize", "helm") or source in ("<stdin>", "manifests")
    return None if has_none else source


def _why_no_text(change: Change) -> str:
    if change.origin is None:
        return "it was not read from a file"
    source = change.origin.file
    return _RENDERED.get(source) or _RENDERED.get(source.partition(":")[0]) or f"`{source}` is no file that can be changed"


def _changed(text: str, change: Change) -> str:
    origin = change.origin
    assert origin is not None
    start, line, part = _part(text, origin)
    try:
        new = document.edited(part, change.steps, origin.inside)
    except CannotEditError as error:
        raise CannotEditError(str(error), line + error.line - 1 if error.line else line) from None
    except PatchError as error:
        raise CannotEditError(str(error), line) from None
    return text[:start] + new + text[start + len(part) :]


def _part(text: str, origin: Origin) -> tuple[int, int, str]:
    """(offset, first line counted from 1, text) of the document of an origin, as `load.read` counts documents."""
    mark = 1 if text.startswith("\ufeff") else 0
    body = text[mark:]
    for start, line, part in _parts(body):
        if start[1] == origin.document:
            return start[0] + mark, line, part
    raise CannotEditError(f"`{origin.file}` has changed since it was read: it has no document {origin.document + 1}")


def _parts(body: str) -> list[tuple[tuple[int, int], int, str]]:
    if body.lstrip()[:1] in ("{", "["):
        try:
            found, at = [], 0
            for number, (line, part, _) in enumerate(json_text.read(body)):
                at = body.index(part, at)
                found.append(((at, number), line, part))
                at += len(part)
            return found
        except (ValueError, RecursionError):
            pass
    return [((start, number), line, part) for number, (start, line, part) in enumerate(split(body))]


def _with_new(text: str | None, new: Mapping[str, Any] | None) -> str:
    """The text with one more document at its end, in the way the file is written."""
    assert new is not None
    if text is None or is_blank(text):
        return (text or "") + document.written(dict(new), "")
    body = text.removeprefix("\ufeff")
    newline = "\r\n" if "\r\n" in text else "\n"
    parts = _parts(body)
    is_json = body.lstrip()[:1] in ("{", "[") and parts[-1][2].rstrip()[-1:] in ("}", "]") and document.is_json(parts[-1][2])
    if is_json and body.lstrip()[:1] == "[":
        raise CannotEditError("the file is one JSON array: put the new object into a file of its own")
    out = text if text.endswith("\n") else text + newline
    added = document.written(dict(new), parts[-1][2]).replace("\n", newline)
    if not is_json and not (is_blank(parts[-1][2]) and len(parts) > 1):
        out += "---" + newline
    out += added
    if len(out_parts := _parts(out.removeprefix("\ufeff"))) < len(parts) or not document.reads_as(out_parts[-1][2], dict(new)):
        raise CannotEditError("a document at the end of the file would not be read as the new object: put it into a file of its own")
    return out
