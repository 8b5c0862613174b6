"""Files that are changed as texts: read, edited, and written whole or not at all, in their encoding and with their mode."""

from __future__ import annotations

import codecs
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from meshcheck.errors import UnreadableError, UsageError
from meshcheck.load.encoding import decoded
from meshcheck.model.objects import Origin
from meshcheck.patch import Change, Edits, NotDone, edit

TextOf = Callable[[Origin | None], tuple[int, str] | None]
"""(first line, text) of the document that an object was read from."""


class EditedFiles:
    """The changes of some objects, in the files that they were read from. Nothing is written before `write`."""

    def __init__(self, changes: Sequence[Change], text_of: TextOf) -> None:
        self._raw: dict[str, bytes] = {}
        self.before: dict[str, str] = {}
        stale: list[NotDone] = []
        usable: list[Change] = []
        for change in changes:
            reason = self._take(change, text_of)
            if reason is None:
                usable.append(change)
            else:
                stale.append(NotDone(change, reason))
        self.edits: Edits = edit(usable, self.before)
        self.not_done: tuple[NotDone, ...] = (*stale, *self.edits.not_done)
        self.done = self.edits.done

    @property
    def after(self) -> Mapping[str, str]:
        """The new text of each file that changes."""
        return self.edits.texts

    def _take(self, change: Change, text_of: TextOf) -> str | None:
        """Read the file of a change again; a reason where it is another file now."""
        origin = change.origin
        if origin is None or origin.file in self.before or not os.path.isfile(origin.file):
            return None  # `edit` says what is wrong with what is no file
        try:
            raw = Path(origin.file).read_bytes()
            text = decoded(raw)
        except (OSError, UnicodeDecodeError, UnreadableError) as error:
            return f"`{origin.file}` cannot be changed: {error}"
        found = text_of(origin)
        if found is not None and found[1] not in text:
            return f"`{origin.file}` has changed since it was read: run the command again"
        self._raw[origin.file], self.before[origin.file] = raw, text
        return None

    def write(self) -> list[str]:
        """Write what has changed; the names of the files. Raises UsageError where a file cannot be written."""
        for name, text in self.after.items():
            _write(Path(name), _encoded(text, self._raw.get(name, b"")))
        return list(self.after)


def _encoded(text: str, like: bytes) -> bytes:
    """A text in the encoding of the bytes that it was read from, with their mark in front."""
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"), (codecs.BOM_UTF8, "utf-8")):
        if like.startswith(mark):
            return mark + text.encode(encoding)
    return text.encode()


def _write(path: Path, raw: bytes) -> None:
    """Replace a file in one step; where it is a link, what it leads to. Mode and owner stay where they may."""
    target = Path(os.path.realpath(path))
    part = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        try:
            with part.open("xb") as stream:
                stream.write(raw)
                stream.flush()
                os.fsync(stream.fileno())
            if target.exists():
                found = target.stat()
                os.chmod(part, found.st_mode & 0o7777)
                if (found.st_uid, found.st_gid) != (os.geteuid(), os.getegid()) and os.geteuid() == 0:
                    os.chown(part, found.st_uid, found.st_gid)
            os.replace(part, target)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"`{path}` cannot be written: {(error.strerror or str(error)).lower()}") from None
