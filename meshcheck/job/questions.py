"""Asks the questions of a check, and compares the answers with those that are wanted."""

from __future__ import annotations

from functools import partial

from meshcheck.explain.causes import causes_of
from meshcheck.explain.fixes import fixes_of
from meshcheck.job.memory import recalled
from meshcheck.job.seen import Seen
from meshcheck.job.settings import Asked, AskedApi, QuestionCheck
from meshcheck.model.objects import dotted
from meshcheck.model.report import Answer, CheckReport, Result, counted_results, worst
from meshcheck.model.trace import ALLOWED, UNKNOWN, Trace
from meshcheck.render.trace_text import headline
from meshcheck.semantics.tracing.trace import trace
from meshcheck.semantics.world import World
from meshcheck.semantics.world.names import nearest_workload


def ask(seen: Seen, check: QuestionCheck) -> CheckReport:
    """All questions of a check."""
    answers = tuple(
        recalled(seen.memory, seen.world, ("question", check.name, asked.id), partial(_answered, seen, asked)) for asked in check.asked
    )
    results = [a.result for a in answers]
    return CheckReport(check.name, "questions", worst(results), 0, answers=answers, counts=counted_results(results))


def _answered(seen: Seen, asked: Asked | AskedApi) -> Answer:
    if isinstance(asked, Asked):
        return answer(seen, asked)
    from meshcheck.job.api_questions import answer_api

    return answer_api(seen, asked)


def answer(seen: Seen, asked: Asked) -> Answer:
    """What became of one question. Causes and fixes are looked for where the answer is not the wanted one."""
    world = seen.world
    if absent := _absent(world, asked):
        return Answer(asked.id, asked.call, str(asked.expect), "error", headline=absent)
    found = trace(world, asked.question, explain=True)
    result = _result(found, asked.expect)
    decided = found.decided_at
    decider = decided[1].decider if decided else None
    explained = result == "failed"
    return Answer(
        asked.id,
        asked.call,
        str(asked.expect),
        result,
        found.verdict,
        headline(found),
        decider.meta.ref if decider else None,
        seen.uid_of(decider.meta.origin) if decider else None,
        dotted(decider.field) if decider else "",
        tuple(cause.message for cause in causes_of(world, found)) if explained else (),
        tuple(fix.description for fix in fixes_of(world, found, seen.value_of, opens=False)) if explained else (),
        tuple(missing.fact for missing in found.missing),
    )


def _result(found: Trace, expect: str | int) -> Result:
    if found.verdict == UNKNOWN:
        return "passed" if expect == UNKNOWN else "unknown"
    if isinstance(expect, int):
        status = found.symptom.status
        if found.verdict == ALLOWED and status is None:
            return "failed" if expect >= 400 else "unknown"  # what the application answers is its own business
        return "passed" if status == expect else "failed"
    return "passed" if found.verdict == expect else "failed"


def _absent(world: World, asked: Asked) -> str:
    """Why a question cannot be asked: its caller or target is not there. Empty when both are, or may be."""
    for role, side in (("caller", asked.question.caller), ("target", asked.question.target)):
        wanted = side.pod or side.workload
        if not wanted or not side.namespace or world.find_workload(side.namespace, wanted) or world.find_pod(side.namespace, wanted):
            continue
        near = nearest_workload(world, side.namespace, wanted)
        return f"the {role} `{side.namespace}/{wanted}` is no workload that was read{f'; did you mean `{near}`?' if near else ''}"
    return ""
