"""Quantities of resources as numbers.

Source: kubernetes/kubernetes:staging/src/k8s.io/apimachinery/pkg/api/resource/quantity.go.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from meshcheck.model.pattern import pattern

if TYPE_CHECKING:
    from decimal import Decimal

_PARTS = pattern(r"([+-]?[\d.]+)(?:([KMGTPE]i)|([numkMGTPE])|[eE]([+-]?\d{1,3}))?")
_POWERS = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}


@lru_cache(1024)
def amount(text: str) -> Decimal:
    """The value of a well-formed quantity: `100m` is a tenth."""
    from decimal import Decimal

    parts = _PARTS.fullmatch(text)
    if parts is None:
        return Decimal(0)
    number = Decimal(parts[1])
    if parts[2]:
        factor: int = 1024 ** _BINARY[parts[2]]
        return number * factor
    power: int = _POWERS[parts[3]] if parts[3] else int(parts[4] or 0)
    return number.scaleb(power)
