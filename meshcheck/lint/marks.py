"""Marks with which somebody decided to live with a finding, and what became of them."""

from __future__ import annotations

from collections.abc import Callable

from meshcheck.model.finding import Finding
from meshcheck.model.objects import ObjectRef, Place
from meshcheck.model.record import record


@record
class Suppression:
    """One mark and what it covers."""

    codes: tuple[str, ...]
    reason: str
    kind: str
    """`annotation`, `comment` or `settings`."""
    place: Place | None
    object: ObjectRef | None
    covers: Callable[[Finding], bool]


@record
class Applied:
    """A suppression after the run. `checked`: it counts, and each of its rules ran."""

    suppression: Suppression
    used: bool
    checked: bool
