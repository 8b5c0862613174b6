"""Plain scalars as Go reads them: YAML 1.1, and what Go makes of numbers.

`y`, `yes`, `on` are true and `n`, `no`, `off` false, also as keys, which become text; `012` is 10, `0o14` is 12, `1_000` is 1000, `1:30` is
text, dates are text. Sources: kubernetes-sigs/yaml:goyaml.v2/resolve.go, yaml.go:convertToJSONableObject.
"""

from __future__ import annotations

from math import copysign, inf, isfinite, isinf, isnan
from struct import pack, unpack
from typing import Any

from meshcheck.errors import UnreadableError
from meshcheck.model.pattern import pattern

_MOST_DIGITS = 400
_TRUE = frozenset(["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"])
_FALSE = frozenset(["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"])
_NULL = frozenset(["", "~", "null", "Null", "NULL"])
_INFINITE = {f"{sign}.{word}" for sign in ("", "+", "-") for word in ("inf", "Inf", "INF")} | {".nan", ".NaN", ".NAN"}
_FLOAT = pattern(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_OCTAL = pattern(r"([-+]?)0([0-7]+)")
_BASED = pattern(r"[-+]?0[xXbBoO]")
_INTEGER = pattern(r"[-+]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+|0|[1-9][0-9]*)")


def scalar(text: str) -> Any:
    """The value of a plain scalar, as JSON carries it: null, bool, int, float or text."""
    value = resolved(text)
    return number(value) if type(value) is float else value


def resolved(text: str) -> Any:
    """The value of a plain scalar, as Go has it before it is written as JSON: 1.0 is a float."""
    if text in _NULL:
        return None
    first = text[0]
    if first.isalpha():
        return True if text in _TRUE else False if text in _FALSE else text
    if first in "+-.0123456789":
        if text in _INFINITE:
            return float(text.replace(".", ""))
        if first == ".":  # Go's own reading of a float, which knows no `_` here
            return _finite(text, text) if _FLOAT.fullmatch(text) else text
        bare = text.replace("_", "")
        if octal := _OCTAL.fullmatch(bare):
            value = int(octal[1] + octal[2], 8)
            return value if _fits(value) else _finite(bare, text)
        if len(bare) > _MOST_DIGITS and bare.lstrip("+-").isdecimal():
            return text  # larger than any float
        if _INTEGER.fullmatch(bare):
            value = int(bare, 0)
            return value if _fits(value) else text if _BASED.match(bare) else _finite(bare, text)
        if _FLOAT.fullmatch(bare):
            return _finite(bare, text)
    return text


def _fits(value: int) -> bool:
    return -(2**63) <= value < 2**64


def _finite(bare: str, text: str) -> float | str:
    """A float, or, where it is too large for one, the text itself."""
    value = float(bare)
    return text if isinf(value) else value


def number(value: float) -> int | float:
    """A float as JSON would carry it: 1.0 is written as 1, and 2e19 with all its zeros."""
    if not isfinite(value):
        raise UnreadableError(f"`{_written(value)}` cannot be written as JSON, so the API server never sees it; give a number")
    if not value.is_integer() or abs(value) >= 1e21:
        return value
    digits, _, exponent = repr(value).partition("e")
    whole, _, fraction = digits.partition(".")
    return int(whole + fraction) * 10 ** (int(exponent) - len(fraction)) if exponent else int(value)


def _written(value: float) -> str:
    return ".nan" if isnan(value) else ".inf" if value > 0 else "-.inf"


def key_of(value: Any) -> str:
    """The text that a key becomes. Raises UnreadableError for what cannot be one."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and value < 2**63:
        return str(value)
    if isinstance(value, float):
        return _float_key(value)
    raise UnreadableError(f"a key must be text, not {_KEYS.get(type(value), 'a number of more than 63 bits')}")


_KEYS: dict[type, str] = {type(None): "null", dict: "a mapping", list: "a list"}


def _float_key(value: float) -> str:
    """As Go's `FormatFloat(value, 'g', -1, 32)` writes it: the fewest digits of single precision that will do."""
    try:
        (single,) = unpack("f", pack("f", value))
    except OverflowError:
        single = copysign(inf, value)
    if not isfinite(single):
        return _written(single)
    precision = next(n for n in range(9) if n == 8 or unpack("f", pack("f", float(f"{single:.{n}e}")))[0] == single)
    text = f"{single:.{precision}e}"
    exponent = int(text.partition("e")[2])
    return f"{single:.{max(precision - exponent, 0)}f}" if -4 <= exponent < 6 else text
