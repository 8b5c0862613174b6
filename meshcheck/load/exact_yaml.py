"""YAML as the API server gets it from kubectl: sigs.k8s.io/yaml, that is YAML 1.1 with Go's ideas of numbers.

What differs from other readers: `y`, `yes`, `on` are true and `n`, `no`, `off` false, also as keys, which become
text; `012` is 10, `0o14` is 12, `1_000` is 1000, `1:30` is text, dates are text; the last of duplicate keys wins, and
`<<` puts its entries where it stands: they replace those above it, and those below replace them.
Sources: kubernetes-sigs/yaml:goyaml.v2/resolve.go, goyaml.v2/decode.go:merge, yaml.go:convertToJSONableObject; the
answers of a real API server in tests/conformance/api-validation.
"""

from __future__ import annotations

import re
from math import copysign, inf, isfinite, isinf, isnan
from struct import pack, unpack
from typing import Any

import yaml

from meshcheck.errors import UnreadableError

MOST_DEPTH = 250
"""Levels of nesting; the deepest schema of Kubernetes needs about sixty."""
MOST_NODES = 2_000_000
"""Values in one document after its aliases are followed."""
MOST_SCALAR = 4 * 1024 * 1024
"""Characters of one text; the API server takes objects of 1.5 MiB."""

_TRUE = frozenset(["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"])
_FALSE = frozenset(["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"])
_NULL = frozenset(["", "~", "null", "Null", "NULL"])
_INFINITE = {f"{sign}.{word}" for sign in ("", "+", "-") for word in ("inf", "Inf", "INF")} | {".nan", ".NaN", ".NAN"}
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_OCTAL = re.compile(r"([-+]?)0([0-7]+)")
_BASED = re.compile(r"[-+]?0[xXbBoO]")
_INTEGER = re.compile(r"[-+]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+|0|[1-9][0-9]*)")
_LOADER: Any = getattr(yaml, "CLoader", yaml.Loader)


def scalar(text: str) -> Any:
    """The value of a plain scalar, as JSON carries it: null, bool, int, float or text."""
    value = _resolved(text)
    return number(value) if type(value) is float else value


def _resolved(text: str) -> Any:
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


def _key(value: Any) -> str:
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


class _Frame:
    """A collection under construction."""

    __slots__ = ("anchor", "key", "keyed", "merged", "value", "weight")

    def __init__(self, value: Any, anchor: str | None) -> None:
        self.value, self.anchor = value, anchor
        self.keyed, self.key, self.weight = False, "", 1
        self.merged: set[str] = set()


def read(text: str, duplicates: list[tuple[int, str]] | None = None) -> Any:
    """One document's value. Raises UnreadableError with the line (counted from 1) and column of the trouble.

    `duplicates` receives the line and the key of each entry that a later one replaces.
    """
    parser = _LOADER(text)
    try:
        return _build(parser, duplicates)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = (error.problem or error.context or "not YAML").replace("'", "`")
        raise UnreadableError(f"line {mark.line + 1}, column {mark.column + 1}: {what}" if mark else what) from None
    except yaml.reader.ReaderError as error:
        raise UnreadableError(f"character {error.character!r} at offset {error.position} is not allowed in YAML") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise UnreadableError(f"not YAML: {str(error).splitlines()[0] if str(error) else type(error).__name__}") from None
    finally:
        parser.dispose()


def _build(parser: Any, duplicates: list[tuple[int, str]] | None) -> Any:
    stack: list[_Frame] = []
    anchors: dict[str, tuple[Any, int]] = {}
    result: Any = None
    done = False
    while parser.check_event():
        event = parser.get_event()
        kind = type(event)
        if kind is yaml.ScalarEvent:
            if len(event.value) > MOST_SCALAR:
                raise UnreadableError(
                    f"line {event.start_mark.line + 1}: a text of more than {MOST_SCALAR >> 20} MiB; the API server takes 1.5 MiB"
                )
            value, weight = _scalar_event(event), 1
            if event.anchor:
                anchors[event.anchor] = value, weight
        elif kind is yaml.AliasEvent:
            if event.anchor not in anchors:
                raise UnreadableError(f"line {event.start_mark.line + 1}: unknown anchor `{event.anchor}`")
            value, weight = anchors[event.anchor]
        elif kind in (yaml.MappingStartEvent, yaml.SequenceStartEvent):
            if len(stack) >= MOST_DEPTH:
                raise UnreadableError(f"line {event.start_mark.line + 1}: nested more than {MOST_DEPTH} levels deep")
            stack.append(_Frame({} if kind is yaml.MappingStartEvent else [], event.anchor))
            continue
        elif kind in (yaml.MappingEndEvent, yaml.SequenceEndEvent):
            frame = stack.pop()
            value, weight = frame.value, frame.weight
            if frame.anchor:
                anchors[frame.anchor] = value, weight
        elif kind is yaml.DocumentStartEvent and done:
            raise UnreadableError(f"line {event.start_mark.line + 1}: a second document where one was expected")
        else:
            continue
        if not stack:
            result, done = number(value) if type(value) is float else value, True
            continue
        _add(stack[-1], value, weight, event, duplicates)
    return result


def _add(frame: _Frame, value: Any, weight: int, event: Any, duplicates: list[tuple[int, str]] | None) -> None:
    """Put a finished value into the collection around it."""
    frame.weight += weight
    if frame.weight > MOST_NODES:
        raise UnreadableError(f"line {event.start_mark.line + 1}: aliases make the document larger than {MOST_NODES:,} values")
    if isinstance(frame.value, list):
        frame.value.append(number(value) if type(value) is float else value)
    elif not frame.keyed:
        plain_merge = value == "<<" and type(event) is yaml.ScalarEvent and event.implicit[0]
        frame.key, frame.keyed = ("<<" if plain_merge else _key(value)), True
        if plain_merge:
            frame.key = "\0merge"
        elif duplicates is not None and frame.key in frame.value and frame.key not in frame.merged:
            duplicates.append((event.start_mark.line + 1, frame.key))
    else:
        frame.keyed = False
        if frame.key == "\0merge":
            for merged in _merged(value):
                frame.value.update(merged)
                frame.merged.update(merged)
        else:
            frame.value[frame.key] = number(value) if type(value) is float else value


def _merged(value: Any) -> list[Any]:
    items = value if isinstance(value, list) else [value]
    if not all(isinstance(item, dict) for item in items):
        raise UnreadableError("`<<` needs a mapping or a list of mappings")
    return items[::-1]  # the first of several wins


_TAGS: dict[str, tuple[type, ...]] = {"int": (int,), "float": (float, int), "bool": (bool,), "null": (type(None),)}


def _scalar_event(event: Any) -> Any:
    tag, text = event.tag, event.value
    if tag is None:
        return _resolved(text) if event.implicit[0] else text
    short = tag.removeprefix("tag:yaml.org,2002:")
    if short == "binary":
        return _decoded(text, event)
    if short not in _TAGS:
        return text
    value = _resolved(text)
    if type(value) not in _TAGS[short]:
        raise UnreadableError(f"line {event.start_mark.line + 1}, column {event.start_mark.column + 1}: `{text[:40]}` is no `!!{short}`")
    return float(value) if short == "float" else value


def _decoded(text: str, event: Any) -> str:
    from base64 import b64decode

    try:
        return b64decode(text.replace("\n", "").replace("\r", ""), validate=True).decode("utf-8", "replace")
    except ValueError:
        raise UnreadableError(f"line {event.start_mark.line + 1}: the text of `!!binary` is not base64") from None
