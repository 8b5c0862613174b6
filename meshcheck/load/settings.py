"""Finds and reads the project's settings: `meshcheck.toml`, or the table `tool.meshcheck` of `pyproject.toml`."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from meshcheck.errors import UnreadableError
from meshcheck.load.lines import read_text

NAMES = ("meshcheck.toml", "pyproject.toml")


def find_settings(start: Path | None = None) -> Path | None:
    """The nearest file of settings in a folder or in one above it; a `pyproject.toml` counts when it has `tool.meshcheck`."""
    folder = (start or Path.cwd()).absolute()
    for candidate in (folder, *folder.parents):
        for name in NAMES:
            file = candidate / name
            if file.is_file() and (name == "meshcheck.toml" or "[tool.meshcheck" in read_text(str(file))):
                return file
        if (candidate / ".git").exists():
            return None  # the repository ends here; what lies above is not the project's
    return None


def read_settings(path: Path) -> dict[str, Any]:
    """The settings of a file as plain values. Raises UnreadableError with the line where it is no TOML."""
    try:
        values = tomllib.loads(read_text(str(path)))
    except tomllib.TOMLDecodeError as error:
        raise UnreadableError(f"`{path}` is not TOML: {error}") from None
    if path.name == "pyproject.toml":
        values = values.get("tool", {}).get("meshcheck", {})
    return values if isinstance(values, dict) else {}
