"""Lint as a check of the job."""

from __future__ import annotations

from meshcheck.errors import UsageError
from meshcheck.job.seen import Seen
from meshcheck.job.settings import LintCheck
from meshcheck.lint import project, registry
from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Rule
from meshcheck.lint.settings import Settings
from meshcheck.model.finding import SEVERITIES
from meshcheck.model.report import CheckReport, Result, counted_findings


def lint(seen: Seen, check: LintCheck) -> CheckReport:
    """Findings of the chosen rules, the worst first; the check fails on those of its severity and worse. Raises UsageError."""
    reading = seen.reading
    broken = ((item.place, item.reason) for item in reading.not_read if item.fatal)
    evidence = Evidence(seen.world, reading.documents, reading.duplicate_keys, broken)
    outcome = project.lint(evidence, rules_of(check), Settings(), reading.span, reading.texts())
    shown = sorted(outcome.shown, key=lambda finding: SEVERITIES.index(finding.severity))
    result: Result = "failed" if project.fails(shown, check.fail_on) else "passed"
    number = len(outcome.not_evaluated)
    silent = f"{number} rule{'' if number == 1 else 's'} had no evidence to go by" if number else ""
    return CheckReport(
        check.name,
        "lint",
        result,
        0,
        silent,
        findings=tuple(shown),
        counts=counted_findings(shown),
        suppressed=len(outcome.findings) - len(shown),
    )


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
