"""Which files a path stands for."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from meshcheck.errors import UnreadableError

ENDINGS = (".yaml", ".yml", ".json")


def files_of(path: str) -> Iterator[Path]:
    """The file itself, or the manifests of a folder and its folders in order of name; symlink loops are entered once.

    Raises UnreadableError when there is no such file or folder.
    """
    root = Path(path)
    try:
        if root.is_file() or root.is_fifo():
            yield root
            return
        if not root.is_dir():
            raise UnreadableError(f"`{path}`: no such file or folder")
    except OSError as error:
        raise UnreadableError(f"`{path}`: {(error.strerror or str(error)).lower()}") from None
    seen: set[str] = set()
    for folder, folders, files in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            file = Path(folder) / name
            if name.endswith(ENDINGS) and not name.startswith(".") and not _is_endless(file):
                yield file


def _is_endless(path: Path) -> bool:
    """Whether it is a pipe, a socket or a device: somebody who gives a folder does not mean to wait for it."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False  # reading it says why
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))
