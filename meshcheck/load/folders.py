"""Which files a path stands for."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from meshcheck.errors import UnreadableError

ENDINGS = (".yaml", ".yml", ".json")


def files_of(path: str) -> Iterator[str]:
    """The file itself, or the manifests of a folder and its folders in order of name; symlink loops are entered once.

    Raises UnreadableError when there is no such file or folder.
    """
    root = _written(path)
    try:
        mode = os.stat(root).st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError):
        mode = 0
    except OSError as error:
        raise UnreadableError(f"`{path}`: {(error.strerror or str(error)).lower()}") from None
    if stat.S_ISREG(mode) or stat.S_ISFIFO(mode):
        yield root
        return
    if not stat.S_ISDIR(mode):
        raise UnreadableError(f"`{path}`: no such file or folder")
    seen: set[str] = set()
    for folder, folders, files in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            file = _written(f"{folder}/{name}")
            if name.endswith(ENDINGS) and not name.startswith(".") and not _is_endless(file):
                yield file


def _is_endless(path: str) -> bool:
    """Whether it is a pipe, a socket or a device: somebody who gives a folder does not mean to wait for it."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False  # reading it says why
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _written(path: str) -> str:
    """A path as `pathlib`, which takes longer to load than a small file to read, would write it."""
    parts = "/".join(part for part in path.split("/") if part not in ("", "."))
    return f"/{parts}" if path.startswith("/") else parts or "."
