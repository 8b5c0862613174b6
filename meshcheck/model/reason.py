"""Why something holds or does not: a tree that accounts for a verdict."""

from __future__ import annotations

from meshcheck.model.objects import ObjectRef, Path
from meshcheck.model.record import value


@value
class Reason:
    """One statement and the statements it rests on.

    `holds` is None where a fact is missing; `field` is the path inside `object`; `wanted` and `actual` are what was compared.
    """

    text: str
    holds: bool | None
    object: ObjectRef | None = None
    field: Path = ()
    wanted: tuple[str, ...] = ()
    actual: str | None = None
    parts: tuple[Reason, ...] = ()
