"""A call on its way: what every step needs, and what led here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshcheck.model.core import Workload
from meshcheck.model.question import Question
from meshcheck.model.record import NamedTuple
from meshcheck.model.trace import Hop
from meshcheck.semantics.tracing.caller import CallerView
from meshcheck.semantics.tracing.target import TargetView
from meshcheck.semantics.world.world import World

if TYPE_CHECKING:
    from meshcheck.semantics.tracing.server import Arrival


class Arrived(NamedTuple):
    """A call in the form in which it gets to the sidecar of a workload."""

    world: World
    workload: Workload
    port: int
    arrival: Arrival


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
    arrivals: list[Arrived] | None = None
    """Takes down each sidecar that the call gets to, where somebody wants to know."""
