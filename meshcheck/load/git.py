"""Files as they were at a revision of a git repository."""

from __future__ import annotations

import subprocess
import tarfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from meshcheck.errors import UnreadableError
from meshcheck.load.folders import ENDINGS
from meshcheck.load.read import Reading


def add_revision(reading: Reading, revision: str, paths: Sequence[str]) -> None:
    """Read files and folders as they were at a revision; paths are relative to the current folder.

    A path that was not there then is left out: the objects in it are new. Raises UnreadableError where git cannot answer.
    """
    top = Path(_git("rev-parse", "--show-toplevel").decode().strip())
    _git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}", why=f"git knows no revision `{revision}`")
    for path in paths:
        inside = Path(path).resolve()
        if not inside.is_relative_to(top.resolve()):
            raise UnreadableError(f"`{path}` is not in the repository `{top.name}`, so it has no revision `{revision}`")
        relative = inside.relative_to(top.resolve()).as_posix()
        if not _git("ls-tree", "--full-tree", revision, "--", relative) and relative != ".":
            continue
        archive = _git("-C", str(top), "archive", "--format=tar", revision, "--", relative)
        with tarfile.open(fileobj=BytesIO(archive)) as tar:
            for member in sorted((m for m in tar if m.isfile()), key=lambda m: m.name):
                named = member.name == relative
                if (named or member.name.endswith(ENDINGS)) and (stream := tar.extractfile(member)) is not None:
                    reading.add_bytes(f"{revision}:{member.name}", stream.read())


def is_revision(word: str) -> bool:
    """Whether git knows a word as a commit of the repository around the current folder."""
    try:
        _git("rev-parse", "--verify", "--quiet", f"{word}^{{commit}}")
    except UnreadableError:
        return False
    return True


def _git(*arguments: str, why: str | None = None) -> bytes:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, check=False, timeout=60)
    except FileNotFoundError:
        raise UnreadableError("git is not installed, and a revision was asked for") from None
    except subprocess.TimeoutExpired:
        raise UnreadableError(f"`git {arguments[0]}` did not answer within a minute") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise UnreadableError(why or f"git: {said[0].removeprefix('fatal: ') if said else f'status {done.returncode}'}")
    return done.stdout
