"""A call on its way: what every step needs, and what led here."""

from __future__ import annotations

from typing import NamedTuple

from meshcheck.model.question import Question
from meshcheck.model.trace import Hop
from meshcheck.semantics.tracing.caller import CallerView
from meshcheck.semantics.tracing.target import TargetView
from meshcheck.semantics.world.world import World


class Call(NamedTuple):
    """One call of one caller. Behind a gateway `who` is the gateway's pod, and `before` holds the hops up to it."""

    world: World
    question: Question
    who: CallerView
    what: TargetView
    explain: bool
    now: float
    """Seconds since 1970: the time for tokens."""
    before: tuple[Hop, ...] = ()
    asked: Question | None = None
    """The question as it was asked, where `question` is what a gateway made of it."""
