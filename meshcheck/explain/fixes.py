"""Smallest changes that let a call through, each tried out before it is offered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from meshcheck.model.objects import Origin
from meshcheck.model.trace import Fix, Trace
from meshcheck.semantics.world import World

Values = Callable[[Origin | None], Mapping[str, Any] | None]


def fixes_of(world: World, trace: Trace, values: Values) -> tuple[Fix, ...]:
    """Fixes of a denied call."""
    return ()
