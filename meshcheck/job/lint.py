"""Lint as a check of the job."""

from __future__ import annotations

from meshcheck.errors import UsageError
from meshcheck.job.memory import Memory
from meshcheck.job.seen import Seen
from meshcheck.job.settings import LintCheck
from meshcheck.lint import project, registry
from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Rule
from meshcheck.lint.run import Recall
from meshcheck.lint.settings import Settings
from meshcheck.model.finding import SEVERITIES
from meshcheck.model.report import CheckReport, Result, counted_findings


def lint(seen: Seen, check: LintCheck) -> CheckReport:
    """Findings of the chosen rules, the worst first. Raises UsageError.

    The check fails on findings of its severity and worse; it is unknown where there may be such findings among what was not read, although
    it was asked for. What is in namespaces that nobody asked for is no part of the result, which is about the others.
    """
    reading = seen.reading
    broken = ((item.place, item.reason) for item in reading.not_read if item.fatal)
    evidence = Evidence(seen.world, reading.documents, reading.duplicate_keys, broken)
    settings = Settings(fail_on=check.fail_on, allow_unknown=check.allow_unknown)
    outcome = project.lint(evidence, rules_of(check), settings, reading.span, reading.texts(), None, _recall(seen.memory))
    shown = sorted(outcome.shown, key=lambda finding: SEVERITIES.index(finding.severity))
    result: Result = "passed"
    if project.fails(shown, check.fail_on):
        result = "failed"
    elif outcome.undecided and not check.allow_unknown:
        result = "unknown"
    return CheckReport(
        check.name,
        "lint",
        result,
        0,
        _words(outcome),
        findings=tuple(shown),
        counts=counted_findings(shown),
        suppressed=len(outcome.findings) - len(shown),
        unjudged=outcome.unjudged,
        rules=_counted(outcome),
    )


def _recall(memory: Memory | None) -> Recall | None:
    return None if memory is None else lambda code, judging: memory.recall(("rule", code), judging)


def _counted(outcome: project.Outcome) -> tuple[tuple[str, int], ...]:
    """How many rules have judged everything that was asked for, and how many have not, by why."""
    missed = {code for item in outcome.unjudged if not item.chosen for code in item.rules}
    elsewhere = {code for item in outcome.unjudged if item.chosen for code in item.rules} & set(outcome.not_evaluated) - missed
    silent = set(outcome.not_evaluated) - missed - elsewhere
    judged = len(outcome.rules) - len(missed) - len(elsewhere) - len(silent)
    return (("judged", judged), ("unjudged", len(missed)), ("out_of_scope", len(elsewhere)), ("no_evidence", len(silent)))


def _words(outcome: project.Outcome) -> str:
    """What the check has not looked at, in a line."""
    counts, parts = dict(_counted(outcome)), []
    if number := counts["unjudged"]:
        what = [item.what for item in outcome.unjudged if not item.chosen]
        more = f" and {len(what) - 3} more" if len(what) > 3 else ""
        parts.append(f"{_rules(number)} could not be judged everywhere, without {', '.join(what[:3])}{more}")
    if number := counts["out_of_scope"]:
        parts.append(f"{_rules(number)} would need namespaces that are not asked for")
    if number := counts["no_evidence"]:
        parts.append(f"{_rules(number)} had no evidence to go by")
    return "; ".join(parts)


def _rules(number: int) -> str:
    return f"{number} rule{'' if number == 1 else 's'}"


def rules_of(check: LintCheck) -> tuple[Rule, ...]:
    """The rules that a check asks for. The longest beginning of a rule's code decides, and `ignore` wins over an equal `select`.

    Raises UsageError for a beginning that no code has: it would be obeyed in silence.
    """
    known = registry.modules()
    for start in (*check.select, *check.ignore):
        if not any(code.startswith(start) for code in known):
            raise UsageError(f"no rule has a code that begins with `{start}`; codes look like {next(iter(known), 'MC101')}")
    return tuple(rule for rule in registry.rules() if _chosen(rule.code, check))


def _chosen(code: str, check: LintCheck) -> bool:
    selected = max((len(start) for start in check.select if code.startswith(start)), default=-1 if check.select else 0)
    ignored = max((len(start) for start in check.ignore if code.startswith(start)), default=-1)
    return selected > ignored
