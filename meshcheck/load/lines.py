"""Texts that are no manifests: batches (JSON Lines) and settings."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from meshcheck.errors import UnreadableError


def read_text(path: str) -> str:
    """A file of settings. Raises UnreadableError."""
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read()
    except OSError as error:
        raise UnreadableError(f"`{path}`: {(error.strerror or str(error)).lower()}") from None
    except UnicodeDecodeError as error:
        raise UnreadableError(f"`{path}`: not UTF-8: byte 0x{error.object[error.start]:02x} at offset {error.start}") from None


def objects_of(path: str) -> Iterator[dict[str, Any] | str]:
    """The objects of a JSON Lines file or of standard input (`-`); a line that is no object comes as words that say why."""
    import json

    try:
        stream = sys.stdin.buffer if path == "-" else open(path, "rb")  # noqa: SIM115 closed below
    except OSError as error:
        raise UnreadableError(f"`{path}`: {(error.strerror or str(error)).lower()}") from None
    with stream:
        for number, raw in enumerate(stream, 1):
            if not raw.strip():
                continue
            try:
                value = json.loads(raw)
            except (ValueError, RecursionError) as error:
                yield f"line {number} is not JSON: {error}"
                continue
            yield value if isinstance(value, dict) else f"line {number} is not an object"
