"""Which files a path stands for."""

from __future__ import annotations

import os
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
            if name.endswith(ENDINGS) and not name.startswith("."):
                yield Path(folder) / name
