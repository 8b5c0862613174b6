"""How faults are said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

_TYPES: dict[type, str] = {dict: "a mapping", list: "a list", str: "text", bool: "a boolean", int: "a whole number", float: "a number"}
_MOST = 60


def of_type(kind: type) -> str:
    """`a mapping`, `text`, …"""
    return _TYPES[kind]


def of(value: Any) -> str:
    """A value of the wrong type, in words: `the boolean true`."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return f"the boolean {'true' if value else 'false'}"
    if isinstance(value, (int, float)):
        return f"the number {shown(value)}"
    if isinstance(value, str):
        return f"text (`{shown(value)}`)"
    return _TYPES.get(type(value), "this")


def shown(value: Any) -> str:
    """A value as it may stand in a message: no longer than a line."""
    try:
        text = str(value)
    except ValueError:  # an integer of more digits than Python converts
        return "of thousands of digits"
    text = text if len(text) <= _MOST else text[: _MOST - 1] + "…"
    return text.encode("utf-8", "replace").decode()  # JSON can hold halves of characters, which cannot be printed


def size(text: str) -> int:
    """Bytes of a text in UTF-8."""
    return len(text.encode("utf-8", "surrogatepass"))


def listed(names: Sequence[str], last: str) -> str:
    """`a`, `b` and `c`."""
    quoted = [f"`{name}`" for name in names]
    return f" {last} ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)


def unknown(name: str, known: Iterable[str]) -> str:
    """Says that a field is unknown, and which one may be meant."""
    from difflib import get_close_matches

    name = str(name)
    # Only names that look alike at first sight are compared: there may be very many unknown fields.
    alike = [other for other in known if other[:1].lower() == name[:1].lower() and abs(len(other) - len(name)) < 3]
    near = get_close_matches(name, alike, 1, 0.75)
    return f"unknown field, dropped by the API server{f'; did you mean `{near[0]}`?' if near else ''}"


def not_one_of(value: str, values: Sequence[str]) -> str:
    """A text that should be one of a few others."""
    near = next((other for other in values if other.lower() == value.lower()), None)
    hint = f"; did you mean `{near}`?" if near else ""
    wanted = listed([other for other in values if other], "and")
    if not value:
        return f"must not be empty: {wanted} are possible"
    return f"`{shown(value)}` is not {f'one of {wanted}' if len(values) > 1 else wanted}{hint}"


def outside(value: float, low: int | None, high: int | None) -> str:
    """A number outside its bounds."""
    if low is None:
        return f"must be at most {high}, not {shown(value)}"
    return f"must be at least {low}, not {shown(value)}" if high is None else f"must be between {low} and {high}, not {shown(value)}"
