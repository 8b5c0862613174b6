"""Changes that rules offer, as JSON Patch."""

from __future__ import annotations

from typing import Any

from meshcheck.model.json_patch import pointer
from meshcheck.model.objects import Meta, Path
from meshcheck.model.trace import Fix


def replacing(meta: Meta, path: Path, new: Any, words: str, *, safe: bool = True) -> Fix:
    """Put another value at a field. `safe`: what the author wrote can have meant nothing else."""
    return Fix(words, ((meta.ref, ({"op": "replace", "path": pointer(path), "value": new},)),), safe)


def adding(meta: Meta, path: Path, new: Any, words: str, *, safe: bool = True) -> Fix:
    """Add a field, or an item to a list (the path ends in `-` or an index)."""
    return Fix(words, ((meta.ref, ({"op": "add", "path": pointer(path), "value": new},)),), safe)


def removing(meta: Meta, path: Path, words: str, *, safe: bool = True) -> Fix:
    """Take a field or an item away."""
    return Fix(words, ((meta.ref, ({"op": "remove", "path": pointer(path)},)),), safe)
