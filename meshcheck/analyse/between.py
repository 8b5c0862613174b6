"""All requests of one caller to one target, in classes.

Not by sampling: the trace engine is run with a watcher that is told of each look at the request (`meshcheck.semantics.watching`), and
run again for each look that could have ended otherwise, until no way through the mesh is left. So there is no second evaluator.
"""

from __future__ import annotations

from meshcheck.analyse.classes import Classes, Comparison
from meshcheck.analyse.shape import ANY, Shape
from meshcheck.model.question import Caller, Target
from meshcheck.semantics.world import World

MOST_CLASSES = 2000
"""Where more ways through the mesh are found, the rest is left out and the result says so."""


def requests_between(
    world: World, caller: Caller, target: Target, shape: Shape = ANY, *, now: float | None = None, most: int = MOST_CLASSES
) -> Classes:
    """All requests of a shape from a caller to a target, in classes with a witness and a verdict each.

    `caller` and `target` as in a question. A caller from outside may have any address where it has none in `caller.ip`.
    """
    raise NotImplementedError


def compare(
    old: World, new: World, caller: Caller, target: Target, shape: Shape = ANY, *, now: float | None = None, most: int = MOST_CLASSES
) -> Comparison:
    """Requests from a caller to a target whose verdict, symptom or deciding policy differs between two worlds.

    A caller or target that only one of the worlds has is unknown in the other.
    """
    raise NotImplementedError
