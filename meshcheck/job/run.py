"""One pass: look, examine, deliver."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec

from meshcheck.errors import MeshcheckError, MissingProgramError
from meshcheck.job.deliver import Delivery
from meshcheck.job.examine import examine
from meshcheck.job.log import Log
from meshcheck.job.seen import Seen
from meshcheck.job.settings import Settings
from meshcheck.job.state import State
from meshcheck.job.time_limit import TimeLimit
from meshcheck.model.report import CheckReport, Gap, Report

Look = Callable[[], Seen]
"""Reads the World; raises MeshcheckError when nothing can be read."""
STATUS = {"passed": 0, "failed": 1, "error": 2, "unknown": 3}
"""Exit status by result, as `lint`, `test` and `trace` have it."""


def run_once(settings: Settings, look: Look, delivery: Delivery, log: Log, state: State) -> int:
    """One pass; returns the exit status. What was found is worth nothing where it did not arrive: then it is 2."""
    limit = TimeLimit(settings.time_limit)
    with limit.applied():
        seen = look()
    report = pass_over(seen, settings, limit, log)
    state.finished(report)
    lost = delivery.deliver(report)
    log.info("done", result=report.result, seconds=round(report.seconds, 3), gaps=len(report.gaps))
    return STATUS["error"] if lost else STATUS[report.result]


def pass_over(seen: Seen, settings: Settings, limit: TimeLimit, log: Log, told_before: Sequence[Gap] = ()) -> Report:
    """Carry out all checks on what was seen, and say so line by line; gaps that were told with the last pass are not told again."""
    for gap in seen.gaps if seen.gaps != told_before else ():
        if not gap.chosen:
            log.warning("not read", what=gap.what, reason=gap.reason)

    def told(check: CheckReport) -> None:
        counts = {word: number for word, number in check.counts if number}
        say = log.info if check.result == "passed" else log.warning
        say("check", check=check.name, result=check.result, seconds=round(check.seconds, 3), **counts, **_message(check))

    return examine(seen, settings.checks, limit, told)


def _message(check: CheckReport) -> dict[str, str]:
    return {"because": check.message} if check.message else {}


def refuse_impossible(settings: Settings, cluster: bool, watch: bool) -> None:
    """Raises MeshcheckError for settings that cannot be obeyed here."""
    if not cluster and (settings.config_map or settings.events or watch):
        what = "a report in a ConfigMap" if settings.config_map else "events" if settings.events else "`--watch`"
        raise MeshcheckError(f"{what} needs a cluster: leave the files (`-f`) away, or write the report with `--report-dir`")
    if settings.push and "@" in settings.push.partition("://")[2].partition("/")[0]:
        raise MeshcheckError("the URL of `metrics.push` holds a password, which would end up in logs; let a proxy add it")
    if (settings.textfile or settings.push or settings.serve) and find_spec("prometheus_client") is None:
        raise MissingProgramError("metrics need the library `prometheus-client`: install `meshcheck[cluster]`")
