"""`meshcheck trace`, alias `why`."""

from __future__ import annotations

import sys
from typing import Any

from meshcheck.model.question import Question
from meshcheck.semantics.world import World
from meshcheck.load.read import Reading


def run(words: list[str]) -> int:
    from meshcheck.cli.batch import run_batch
    from meshcheck.render.trace_json import trace_json
    from meshcheck.semantics.tracing.trace import trace

    brief = "--brief" in words
    path = words[words.index("--batch") + 1]

    def answer(world: World, question: Question, reading: Reading) -> dict[str, Any]:
        return trace_json(trace(world, question, explain=not brief), reading.place, brief=brief)

    return run_batch(path, answer, sys.stdout.write)
