"""The stations of the network: name resolution and network policies."""

from __future__ import annotations

from meshcheck.model.question import Question
from meshcheck.model.trace import Station
from meshcheck.semantics.tracing.caller import CallerView
from meshcheck.semantics.tracing.target import Backend, TargetView
from meshcheck.semantics.world.world import World


def name_resolution(world: World, question: Question, who: CallerView, what: TargetView, explain: bool) -> Station | None:
    return None


def policies(world: World, question: Question, who: CallerView, backend: Backend, explain: bool) -> list[Station]:
    return []
