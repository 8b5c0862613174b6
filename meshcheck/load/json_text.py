"""JSON as kubectl reads it: one value after the other."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from meshcheck.model.pattern import pattern

MOST_DEPTH = 250
"""As many levels as YAML may have."""
_SPACE = pattern(r"[ \t\r\n]*")
_HALF = pattern(r"\\u[dD][89a-fA-F]")


def read(text: str) -> list[tuple[int, str, Any]]:
    """(first line, text, value) of each value of a text. Raises ValueError where it is no JSON, or nested too deep."""
    out: list[tuple[int, str, Any]] = []
    at = _end_of_space(text, 0)
    line = 1 + text.count("\n", 0, at)
    while at < len(text):
        value, end = _DECODER.raw_decode(text, at)
        part = text if at == 0 and _end_of_space(text, end) == len(text) else text[at:end]
        if not part.isascii() or _HALF.search(part):
            value = _whole(value)
        if part.count("{") + part.count("[") > MOST_DEPTH and _is_deep(value):
            raise ValueError(f"nested more than {MOST_DEPTH} levels deep")
        out.append((line, part, value))
        start, at = at, _end_of_space(text, end)
        line += text.count("\n", start, at)
    return out


def _end_of_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _refused(word: str) -> NoReturn:
    raise ValueError(f"`{word}` is no JSON")


_DECODER = json.JSONDecoder(parse_constant=_refused)


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MOST_DEPTH + 1):
        level = [
            inner for outer in level for inner in (outer.values() if isinstance(outer, dict) else outer) if isinstance(inner, (dict, list))
        ]
        if not level:
            return False
    return True


def _whole(value: Any) -> Any:
    """Halves of surrogate pairs, which no encoding can hold, become the sign for an unknown character, as in Go."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_whole(key): _whole(item) for key, item in value.items()}
    return [_whole(item) for item in value] if isinstance(value, list) else value
