"""The report as JSON: `meshcheck/lint/v1`."""

from __future__ import annotations

import json
from typing import Any

from meshcheck.lint.project import Outcome
from meshcheck.model.finding import Finding, Unjudged
from meshcheck.model.objects import Place, dotted
from meshcheck.render.lint.report import LintReport, Read
from meshcheck.render.style import Style
from meshcheck.render.trace_json import fix_json

SCHEMA = "meshcheck/lint/v1"


def render(report: LintReport, _: Style) -> str:
    """The whole report, indented."""
    outcome = report.outcome
    return json.dumps(lint_json(outcome, report.read), indent=2) + "\n"


def lint_json(outcome: Outcome, read: Read) -> dict[str, Any]:
    """The report as a value; suppressed findings are in it, with a flag."""
    return {
        "schema": SCHEMA,
        "findings": [finding_json(finding) for finding in outcome.findings],
        "read": {"files": read.files, "documents": read.documents, "objects": read.objects},
        "not_read": [{"place": _place(place), "reason": reason} for place, reason in read.not_read],
        "not_evaluated": list(outcome.not_evaluated),
        "unjudged": [unjudged_json(item) for item in outcome.unjudged],
        "undecided": list(outcome.undecided),
        "stale_baseline_entries": outcome.stale,
    }


def unjudged_json(item: Unjudged) -> dict[str, Any]:
    """A missing fact with the rules that need it."""
    return {"what": item.what, "missing": item.missing, "chosen": item.chosen, "rules": list(item.rules)}


def finding_json(finding: Finding) -> dict[str, Any]:
    """One finding, as the contract has it."""
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity,
        "confidence": finding.confidence,
        "audience": finding.audience,
        "message": finding.message,
        "object": finding.object and finding.object.as_json(),
        "field": dotted(finding.field),
        "place": _place(finding.place, finding.end_column),
        "related": [{"message": other.message, "place": _place(other.place)} for other in finding.related],
        "refused_by": finding.refused_by,
        "fix": finding.fix and fix_json(finding.fix),
        "suppressed": finding.suppressed,
        "suppressed_by": finding.suppressed_by,
    }


def _place(place: Place | None, end_column: int | None = None) -> dict[str, Any] | None:
    if place is None:
        return None
    end = {"end_line": place.line, "end_column": end_column} if end_column else {}
    return {"file": place.file, "line": place.line, "column": place.column, **end}
