"""Reports and metrics as files that are whole at every moment: whoever reads one sees the old content or the new one."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from meshcheck.errors import MeshcheckError


def write_whole(path: Path, content: str) -> None:
    """Write a file beside the old one, and put it in its place. Raises MeshcheckError."""
    handle = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        number, handle = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(number, "w", encoding="utf-8") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(handle, 0o644)  # the node exporter, and whoever else reads it, is another user
        os.replace(handle, path)
        handle = None
    except OSError as error:
        raise MeshcheckError(f"`{path}`: cannot be written: {(error.strerror or str(error)).lower()}") from None
    finally:
        if handle:
            with contextlib.suppress(OSError):
                os.unlink(handle)


def read_whole(path: Path) -> str | None:
    """The content of a file; None when there is none that can be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
