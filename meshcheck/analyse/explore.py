"""All ways through something that looks at a request: run it, see what it looked at, and run it again for each look that may differ.

The outcome of a run is a function of the outcomes of its looks, so the runs are the leaves of a tree that parts all requests: each
request meets the facts of exactly one leaf.

Source: Godefroid, Klarlund, Sen: DART, directed automated random testing (2005), with an engine in place of a solver.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

from meshcheck.analyse.looks import Look, NotMeantError, Recorder
from meshcheck.analyse.spaces import Space
from meshcheck.model.question import Question
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.languages import NotRegularError
from meshcheck.semantics.watching import watched

T = TypeVar("T")
Fact = tuple[Look, bool]


class Leaf(NamedTuple, Generic[T]):
    """One way through: the facts that lead here, a request that meets them, and what came out (of each that was asked)."""

    facts: tuple[Fact, ...]
    witness: Question
    answers: tuple[T, ...]
    inexact: tuple[str, ...]


class Explored(NamedTuple, Generic[T]):
    """All ways through; `inexact` says why some may be missing."""

    leaves: tuple[Leaf[T], ...]
    inexact: tuple[str, ...]


def explore(space: Space, start: Iterable[Fact], asks: Sequence[Callable[[Question], T]], most: int) -> Explored[T]:
    """All ways through all of `asks` that begin with the facts `start`."""
    leaves: list[Leaf[T]] = []
    inexact: dict[str, None] = {}
    waiting: list[tuple[Fact, ...]] = [tuple(start)]
    while waiting:
        if len(leaves) >= most:
            inexact[f"more than {most} kinds of requests are told apart"] = None
            break
        facts = waiting.pop()
        try:
            question = space.question(facts)
        except NotRegularError as error:
            inexact[str(error)] = None
            continue
        if question is None:
            continue
        recorder = Recorder(question, space.authority, space.principal_of(question))
        try:
            answers = []
            with watched(recorder):
                for ask in asks:
                    recorder.begin()
                    answers.append(ask(question))
        except NotMeantError as other:
            if other.seen.look in {look for look, _ in facts}:  # no request was found that is meant: never go round in a circle
                inexact[f"no request was made up that is as {other.seen.look.part} must be"] = None
                continue
            path = _branch(facts, recorder, waiting)
            waiting.append((*path, (other.seen.look, other.seen.outcome)))
            continue
        path = _branch(facts, recorder, waiting)
        leaves.append(Leaf(tuple(path), question, tuple(answers), tuple(recorder.inexact)))
    return Explored(tuple(leaves), tuple(inexact))


def _branch(facts: tuple[Fact, ...], recorder: Recorder, waiting: list[tuple[Fact, ...]]) -> list[Fact]:
    """The facts with what was seen beside them; each look that may end otherwise waits for its turn."""
    known = {look for look, _ in facts}
    path = list(facts)
    for one in recorder.seen.values():
        if one.look not in known:
            if not one.fixed:
                waiting.append((*path, (one.look, not one.outcome)))
            path.append((one.look, one.outcome))
    return path
