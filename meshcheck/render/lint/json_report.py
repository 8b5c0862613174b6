"""The report as JSON: `meshcheck/lint/v1`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from meshcheck.model.finding import Finding
from meshcheck.model.objects import Place, dotted
from meshcheck.render.lint.report import LintReport, Read
from meshcheck.render.style import Style
from meshcheck.render.trace_json import fix_json

SCHEMA = "meshcheck/lint/v1"


def render(report: LintReport, _: Style) -> str:
    """The whole report, indented."""
    outcome = report.outcome
    return json.dumps(lint_json(outcome.findings, report.read, outcome.not_evaluated, outcome.stale), indent=2) + "\n"


def lint_json(findings: Sequence[Finding], read: Read, not_evaluated: Sequence[str] = (), stale: int = 0) -> dict[str, Any]:
    """The report as a value; suppressed findings are in it, with a flag."""
    return {
        "schema": SCHEMA,
        "findings": [finding_json(finding) for finding in findings],
        "read": {"files": read.files, "documents": read.documents, "objects": read.objects},
        "not_read": [{"place": _place(place), "reason": reason} for place, reason in read.not_read],
        "not_evaluated": list(not_evaluated),
        "stale_baseline_entries": stale,
    }


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
