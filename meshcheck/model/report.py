"""What one pass of the job found: the value that its outputs (JSON, Markdown, metrics, events) are functions of.

It holds words and numbers, no objects of the World: a report may outlive the World by days.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from meshcheck.model.finding import Finding, Severity, Unjudged
from meshcheck.model.objects import ObjectRef
from meshcheck.model.record import record, value

Result = Literal["passed", "failed", "unknown", "error"]
RESULTS: tuple[Result, ...] = ("error", "failed", "unknown", "passed")
"""From the one that matters most. `error`: the check itself cannot be carried out."""


def worst(results: Iterable[Result]) -> Result:
    """The result of a whole from those of its parts; nothing at all has passed."""
    found = set(results)
    return next((result for result in RESULTS if result in found), "passed")


@value
class Answer:
    """What became of one question."""

    id: str
    call: str
    """The call in words: `shop/frontend → http://cart.shop/api  DELETE /api`."""
    expect: str
    result: Result
    verdict: str | None = None
    """allowed, denied or unknown; None when the question could not be asked."""
    headline: str = ""
    """The first line of a trace, or why the question could not be asked."""
    decided_by: ObjectRef | None = None
    decider_uid: str | None = None
    field: str = ""
    causes: tuple[str, ...] = ()
    fixes: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def denied(self) -> bool:
        """Whether the call is refused although nobody wants that."""
        return self.verdict == "denied" and self.result == "failed"


@value
class Judged:
    """What became of one assertion: `detail` holds counterexamples and deciding policies, a line each."""

    name: str
    result: Result
    detail: tuple[str, ...] = ()


@record
class CheckReport:
    """One check: of the three lists the one of its kind is filled. `omitted` were left out of the list to keep a report small."""

    name: str
    kind: Literal["lint", "test", "questions"]
    result: Result
    seconds: float
    message: str = ""
    """Why it could not be carried out, or what is not decided."""
    findings: tuple[Finding, ...] = ()
    answers: tuple[Answer, ...] = ()
    judged: tuple[Judged, ...] = ()
    counts: tuple[tuple[str, int], ...] = ()
    """Findings by severity, answers and assertions by result: of all, also of those left out."""
    suppressed: int = 0
    unjudged: tuple[Unjudged, ...] = ()
    """Of lint: what was not read, and which rules looked for it."""
    rules: tuple[tuple[str, int], ...] = ()
    """Of lint: how many rules were judged, unjudged (something that was asked for could not be read), out_of_scope, or had no_evidence."""
    omitted: int = 0

    @property
    def items(self) -> tuple[Finding | Answer | Judged, ...]:
        """What the check has a list of."""
        return (*self.findings, *self.answers, *self.judged)


@value
class Gap:
    """Something that could not be read; verdicts that depend on it are unknown."""

    what: str
    reason: str
    chosen: bool = False
    """The configuration does not ask for it (`namespaces`)."""


@record
class Report:
    """One pass over one World."""

    version: str
    """Of meshcheck."""
    started: str
    """RFC 3339, UTC."""
    seconds: float
    source: str
    """Where the World comes from, in words."""
    objects: tuple[tuple[str, int], ...]
    """How many objects were read, by kind."""
    gaps: tuple[Gap, ...]
    checks: tuple[CheckReport, ...]
    truncated: bool = False

    @property
    def result(self) -> Result:
        """The worst of the checks. What was not read matters through the checks that need it."""
        return worst(check.result for check in self.checks)

    @property
    def answers(self) -> Iterable[tuple[CheckReport, Answer]]:
        """All answers with their checks."""
        return ((check, answer) for check in self.checks for answer in check.answers)


def counted_findings(findings: Iterable[Finding]) -> tuple[tuple[str, int], ...]:
    """How many findings of each severity are not suppressed; those of no severity are there with 0."""
    counts: dict[Severity, int] = {"error": 0, "warning": 0, "info": 0}
    for finding in findings:
        if not finding.suppressed:
            counts[finding.severity] += 1
    return tuple(counts.items())


def counted_results(results: Iterable[Result]) -> tuple[tuple[str, int], ...]:
    """How many of each result."""
    counts = dict.fromkeys(RESULTS, 0)
    for result in results:
        counts[result] += 1
    return tuple(counts.items())
