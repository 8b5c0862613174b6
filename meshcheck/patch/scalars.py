"""Texts and numbers as YAML and JSON write them."""

from __future__ import annotations

import json
import re
from typing import Any

from meshcheck.load.scalars import resolved
from meshcheck.model.pattern import pattern

_PLAIN = pattern(r"[A-Za-z0-9_./$(][A-Za-z0-9_./$()@+=^~:;%|*&?!<>, -]*")
_PLAIN_IN_FLOW = pattern(r"[A-Za-z0-9_./$(][A-Za-z0-9_./$()@+=^~*-]*")
_LIKE_A_NUMBER = pattern(r"[-+.0-9][-+.0-9_:eExXoObTZ]*")
_ESCAPED = pattern(r"[^\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]|[\"\\\u2028\u2029]")
_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def in_json(value: Any) -> str:
    """A value as JSON, on one line."""
    return json.dumps(value, ensure_ascii=False)


def in_yaml(value: Any, quote: str = "", flow: bool = False) -> str:
    """A scalar, or an empty collection, as YAML on one line; `quote` is the sign that texts around it have."""
    if not isinstance(value, str):
        return json.dumps(value)
    if quote == "'" and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    if quote != '"' and is_plain(value, flow):
        return value
    if value.isprintable() and '"' not in value and "\\" not in value:  # nearly always: the pattern takes long to compile
        return f'"{value}"'
    return '"' + _ESCAPED.sub(_escape, value) + '"'


def is_plain(value: str, flow: bool = False) -> bool:
    """Whether every reader of YAML takes a text without quotes for that text."""
    if not (_PLAIN_IN_FLOW if flow else _PLAIN).fullmatch(value) or value.endswith((":", " ")) or ": " in value:
        return False
    return resolved(value) == value and not _LIKE_A_NUMBER.fullmatch(value)


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    code = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"


def as_lines(value: str) -> list[str] | None:
    """The lines of a text for a block that starts with `|`; None where quotes are needed."""
    body = value.removesuffix("\n")
    lines = body.split("\n")
    if not body or body.endswith("\n") or lines[0][:1] in (" ", "\t", "") or not all(line.isprintable() for line in lines):
        return None
    return None if any("\t" in line or line != line.rstrip() for line in lines) else lines


def header_of(value: str) -> str:
    """The sign in front of a block of text: whether its last line break counts."""
    return "|" if value.endswith("\n") else "|-"
