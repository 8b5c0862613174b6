"""Calls of which only a part is known, for statements about all calls that have that part."""

from __future__ import annotations

from typing import Any

from meshcheck.semantics.authorization.attributes import Attributes

_EVERYTHING = frozenset(Attributes.__slots__) - {"http", "query", "unknown"} | {"metadata"}


def call_with(**known: Any) -> Attributes:
    """A call with some attributes (names of `Attributes`); what a rule asks of the others is undecided."""
    a = Attributes()
    for name, value in known.items():
        setattr(a, name, value)
    a.unknown = _EVERYTHING - known.keys()
    return a
