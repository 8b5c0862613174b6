"""Scalars of the tables: which Python type a good value has, and what else passes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from meshcheck.decode.admission import words
from meshcheck.decode.admission.faults import NULL, Check, Fault, Faults, at
from meshcheck.model.pattern import pattern
from meshcheck.model.record import NamedTuple


class Node(NamedTuple):
    """A value of `kind` is good when `inner` has no fault (None: always); any other value goes to `other`."""

    kind: type
    inner: Check | None
    other: Check


class _Never:
    """A type that no value has."""


_QUANTITY = pattern(r"[+-]?(\d+(\.\d*)?|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?")
_TIME = pattern(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
_BASE64 = pattern(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")


def integral(value: Any) -> bool:
    """Whether it is a whole number as JSON has it: 8080.0 is one, true is none."""
    return type(value) is int or (type(value) is float and value.is_integer())


def chained(checks: list[Check]) -> Check | None:
    """One check of many."""
    if len(checks) < 2:
        return checks[0] if checks else None

    def check(value: Any) -> Faults:
        for one in checks:
            if bad := one(value):
                return bad
        return None

    return check


def _null(nullable: bool) -> Faults:
    return None if nullable else [Fault((), "null", NULL)]


def _text(checks: list[Check], nullable: bool) -> Node:
    return Node(
        str, chained(checks), lambda value: _null(nullable) if value is None else at(f"must be text, not {words.of(value)}{_quote(value)}")
    )


def _quote(value: Any) -> str:
    """Numbers and booleans are often meant as text."""
    return "; put it in quotes" if isinstance(value, (bool, int, float)) else ""


def _whole(bits: int) -> Callable[[list[Check], bool], Node]:
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1

    def fits(value: Any) -> Faults:
        return None if low <= value <= high else at(f"`{words.shown(value)}` does not fit into {bits} bits")

    def node(checks: list[Check], nullable: bool) -> Node:
        inner = chained([fits, *checks])
        assert inner is not None

        def other(value: Any) -> Faults:
            if value is None:
                return _null(nullable)
            if not integral(value):
                return at(f"must be a whole number, not {words.of(value)}")
            return inner(value) or [Fault((), "a whole number, written as 8080.0", NULL, int(value))]

        return Node(int, inner, other)

    return node


def _number(checks: list[Check], nullable: bool) -> Node:
    inner = chained(checks)

    def other(value: Any) -> Faults:
        if value is None:
            return _null(nullable)
        if type(value) is int:
            return inner(value) if inner else None
        return at(f"must be a number, not {words.of(value)}")

    return Node(float, inner, other)


def _boolean(checks: list[Check], nullable: bool) -> Node:
    return Node(bool, None, lambda value: _null(nullable) if value is None else at(f"must be true or false, not {words.of(value)}"))


def _whole_or_text(checks: list[Check], nullable: bool) -> Node:
    inner = chained(checks)

    def other(value: Any) -> Faults:
        if value is None:
            return _null(nullable)
        if type(value) is str:
            return inner(value) if inner else None
        if integral(value):
            return whole(value) or [Fault((), "a whole number, written as 8080.0", NULL, int(value))]
        return at(f"must be a whole number or text, not {words.of(value)}")

    def whole(value: Any) -> Faults:
        if not -(2**31) <= value < 2**31:
            return at(f"`{words.shown(value)}` does not fit into 32 bits")
        return inner(value) if inner else None

    return Node(int, whole, other)


def _quantity(checks: list[Check], nullable: bool) -> Node:
    def text(value: str) -> Faults:
        return None if _QUANTITY.fullmatch(value) else at(f"`{words.shown(value)}` is not a quantity such as `100m` or `64Mi`")

    def other(value: Any) -> Faults:
        if value is None:
            return _null(nullable)
        return None if type(value) in (int, float) else at(f"must be a quantity such as `100m`, not {words.of(value)}")

    return Node(str, text, other)


def _time(checks: list[Check], nullable: bool) -> Node:
    def text(value: str) -> Faults:
        return None if _TIME.fullmatch(value) else at(f"`{words.shown(value)}` is not a time such as `2024-01-31T12:00:00Z`")

    return _text([text, *checks], nullable)


def _bytes(checks: list[Check], nullable: bool) -> Node:
    def text(value: str) -> Faults:
        return None if _BASE64.fullmatch(value.replace("\n", "").replace("\r", "")) else at("is not base64")

    return _text([text, *checks], nullable)


def _any(checks: list[Check], nullable: bool) -> Node:
    return Node(_Never, None, lambda value: None)


def _mapping(checks: list[Check], nullable: bool) -> Node:
    return Node(dict, chained(checks), lambda value: _null(nullable) if value is None else at(f"must be a mapping, not {words.of(value)}"))


SCALARS: Mapping[str, Callable[[list[Check], bool], Node]] = {
    "str": _text, "int": _whole(64), "int32": _whole(32), "int64": _whole(64), "num": _number, "bool": _boolean, "intstr": _whole_or_text,
    "quantity": _quantity, "time": _time, "bytes": _bytes, "any": _any, "obj": _mapping,
}  # fmt: skip
