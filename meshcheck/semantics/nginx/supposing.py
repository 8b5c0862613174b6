"""Facts that are not known: an evaluation is run for each answer, and only what all runs agree on is sure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
MOST_RUNS = 64


class Undecided(Exception):
    """The outcome rests on a fact that is not known, and both answers cannot be tried. The argument is the fact."""


class Supposing:
    """One run: asked for a fact, it gives the answers that were chosen for it, then `True`."""

    def __init__(self, choices: tuple[bool, ...] = ()) -> None:
        self._choices = choices
        self.answers: dict[str, bool] = {}

    def ask(self, fact: str) -> bool:
        """The supposed answer to a fact (`whether …`); the same fact has the same answer throughout a run."""
        if fact not in self.answers:
            n = len(self.answers)
            self.answers[fact] = self._choices[n] if n < len(self._choices) else True
        return self.answers[fact]


def every_way(run: Callable[[Supposing], T]) -> tuple[list[T], tuple[str, ...]]:
    """The outcomes for all answers, and the facts that were asked. Raises Undecided when there are too many."""
    pending: list[tuple[bool, ...]] = [()]
    outcomes: list[T] = []
    facts: dict[str, bool] = {}
    while pending:
        if len(outcomes) == MOST_RUNS:
            raise Undecided(next(iter(facts)))
        choices = pending.pop()
        supposing = Supposing(choices)
        outcomes.append(run(supposing))
        facts.update(supposing.answers)
        given = tuple(supposing.answers.values())
        pending += [(*given[:n], False) for n in range(len(choices), len(given))]
    return outcomes, tuple(facts)
