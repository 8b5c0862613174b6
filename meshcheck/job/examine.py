"""Carries out the checks on what was seen: a report out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Literal

from meshcheck import __version__
from meshcheck.errors import MeshcheckError
from meshcheck.job.seen import Seen
from meshcheck.job.settings import Check, LintCheck, QuestionCheck
from meshcheck.job.time_limit import TimeLimit
from meshcheck.model.record import replace
from meshcheck.model.report import CheckReport, Report

Progress = Callable[[CheckReport], None]


def examine(seen: Seen, checks: Sequence[Check], limit: TimeLimit, on_check: Progress = lambda check: None) -> Report:
    """The report of one pass. A check that cannot be carried out does not keep the others from it; those after the time limit say so."""
    begun, started = time.monotonic(), now()
    if seen.memory is not None:
        seen.memory.begin(seen.reading.documents, seen.world, checks)
    reports: list[CheckReport] = []
    for check in checks:
        before = time.monotonic()
        try:
            with limit.applied():
                done = _carry_out(seen, check)
        except MeshcheckError as error:
            done = _not_done(check, str(error))
        except RecursionError:
            done = _not_done(check, "an object is nested too deeply to be looked at")
        done = replace(done, seconds=time.monotonic() - before)
        reports.append(done)
        on_check(done)
    return Report(__version__, started, time.monotonic() - begun, seen.source, seen.counts(), tuple(seen.gaps), tuple(reports))


def now() -> str:
    """This moment as RFC 3339 text in UTC."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def kind_of(check: Check) -> Literal["lint", "questions", "test"]:
    """lint, questions or test."""
    return "lint" if isinstance(check, LintCheck) else "questions" if isinstance(check, QuestionCheck) else "test"


def _carry_out(seen: Seen, check: Check) -> CheckReport:
    if isinstance(check, LintCheck):
        from meshcheck.job.lint import lint

        return lint(seen, check)
    if isinstance(check, QuestionCheck):
        from meshcheck.job.questions import ask

        return ask(seen, check)
    from meshcheck.job.assertions import judge_all

    return judge_all(seen, check)


def _not_done(check: Check, why: str) -> CheckReport:
    return CheckReport(check.name, kind_of(check), "error", 0, why)
