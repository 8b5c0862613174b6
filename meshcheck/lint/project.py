"""Lint as a project wants it: the rules that its settings choose, its suppressions, its baseline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from meshcheck.lint import baseline
from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Rule
from meshcheck.lint.run import Locate, Recall, finding_of, in_order, run
from meshcheck.lint.settings import Settings, chosen, wants
from meshcheck.lint.suppress import apply, suppressions
from meshcheck.lint.unjudged import by_gap, undecided
from meshcheck.model.finding import SEVERITIES, Finding, Unjudged
from meshcheck.model.record import record, replace


@record
class Outcome:
    """What a run of lint came to."""

    findings: tuple[Finding, ...]
    """Suppressed ones too, in the order of files and lines."""
    rules: tuple[Rule, ...]
    """Those that were chosen."""
    not_evaluated: tuple[str, ...]
    """Codes of chosen rules whose claim needs evidence that is not there."""
    stale: int = 0
    """Entries of the baseline that are no longer found."""
    unjudged: tuple[Unjudged, ...] = ()
    """What a cluster did not let be read, and which rules looked for it."""
    undecided: tuple[str, ...] = ()
    """Codes of those rules that might make the run fail at its threshold."""

    @property
    def shown(self) -> tuple[Finding, ...]:
        """Findings that nobody suppressed."""
        return tuple(finding for finding in self.findings if not finding.suppressed)


def lint(
    evidence: Evidence,
    rules: tuple[Rule, ...],
    settings: Settings,
    locate: Locate,
    texts: Iterable[tuple[str, int, str]] = (),
    known: Counter[str] | None = None,
    recall: Recall | None = None,
) -> Outcome:
    """The whole run. `texts` are searched for comments that suppress; `known` are fingerprints of a baseline.
    `recall` may have what a rule found before.

    Rules about changes take part only where there is a state before.
    """
    wanted = tuple(rule for rule in chosen(rules, settings) if rule.needs != "two-worlds" or evidence.before is not None)
    report = run(evidence, wanted, locate, rules, recall)
    marks = suppressions(evidence.documents, texts, settings.suppress, locate)
    spoke = tuple(rule for rule in wanted if rule.code not in report.not_evaluated)
    findings, applied = apply(report.findings, marks, spoke, settings.require_reason)
    reviewed = [
        finding_of(rule, item, locate) for rule in wanted if rule.reviews is not None for one in applied for item in rule.reviews(one)
    ]
    sure = [finding for finding in findings if wants(settings, finding.confidence, finding.code, finding.name)]
    findings = in_order(_with_severity(finding, settings) for finding in (*sure, *reviewed))
    findings, stale = baseline.subtract(findings, known) if known is not None else (findings, 0)
    severities = {rule.code: _severity(rule.code, rule.name, settings) for rule in wanted}
    changed = {code: severity for code, severity in severities.items() if severity is not None}
    open_ = undecided(wanted, report.unjudged, settings.fail_on, changed)
    return Outcome(findings, wanted, report.not_evaluated, stale, by_gap(report.unjudged), open_)


def fails(findings: Iterable[Finding], threshold: str) -> bool:
    """Whether a finding that nobody suppressed is at least as bad as the threshold (`never` is worse than all)."""
    bad = SEVERITIES[: SEVERITIES.index(threshold) + 1] if threshold in SEVERITIES else ()
    return any(finding.severity in bad for finding in findings if not finding.suppressed)


def _with_severity(finding: Finding, settings: Settings) -> Finding:
    """A finding with the severity that the project gives its rule; of several words the most exact one counts."""
    if finding.code == "MC953" and settings.require_reason:
        finding = replace(finding, severity="error")
    severity = _severity(finding.code, finding.name, settings)
    return finding if severity is None else replace(finding, severity=severity)


def _severity(code: str, name: str, settings: Settings) -> str | None:
    words = [word for word in settings.severity if _is_about(word, code, name)]
    return settings.severity[max(words, key=len)] if words else None


def _is_about(word: str, code: str, name: str) -> bool:
    start = word.upper().replace("-", "")
    return word == name or (start.startswith("MC") and code.startswith(start))
