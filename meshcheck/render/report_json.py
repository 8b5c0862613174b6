"""The report of the job as JSON (`meshcheck/report/v1`)."""

from __future__ import annotations

from typing import Any

from meshcheck.model.finding import Finding
from meshcheck.model.objects import dotted
from meshcheck.model.report import Answer, CheckReport, Judged, Report
from meshcheck.render.trace_json import place_json

SCHEMA = "meshcheck/report/v1"


def report_json(report: Report) -> dict[str, Any]:
    """The whole report."""
    return {
        "schema": SCHEMA,
        "meshcheck": report.version,
        "started": report.started,
        "seconds": round(report.seconds, 3),
        "result": report.result,
        "truncated": report.truncated,
        "read": {"source": report.source, "objects": dict(report.objects)},
        "gaps": [{"what": gap.what, "reason": gap.reason, "chosen": gap.chosen} for gap in report.gaps],
        "checks": [_check(check) for check in report.checks],
    }


def _check(check: CheckReport) -> dict[str, Any]:
    out: dict[str, Any] = {
        "name": check.name,
        "kind": check.kind,
        "result": check.result,
        "seconds": round(check.seconds, 3),
        "message": check.message or None,
        "counts": dict(check.counts),
        "omitted": check.omitted,
    }
    if check.kind == "lint":
        out["suppressed"] = check.suppressed
        out["rules"] = dict(check.rules)
        out["unjudged"] = [{"what": u.what, "missing": u.missing, "chosen": u.chosen, "rules": list(u.rules)} for u in check.unjudged]
        out["findings"] = [_finding(finding) for finding in check.findings]
    elif check.kind == "questions":
        out["questions"] = [_answer(answer) for answer in check.answers]
    else:
        out["assertions"] = [_judged(judged) for judged in check.judged]
    return out


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity,
        "confidence": finding.confidence,
        "message": finding.message,
        "object": finding.object and finding.object.as_json(),
        "field": dotted(finding.field),
        "place": place_json(finding.place),
        "refused_by": finding.refused_by,
    }


def _answer(answer: Answer) -> dict[str, Any]:
    return {
        "id": answer.id,
        "call": answer.call,
        "expect": answer.expect,
        "result": answer.result,
        "verdict": answer.verdict,
        "headline": answer.headline,
        "decided_by": answer.decided_by and {**answer.decided_by.as_json(), "field": answer.field or None},
        "causes": list(answer.causes),
        "fixes": list(answer.fixes),
        "missing": list(answer.missing),
    }


def _judged(judged: Judged) -> dict[str, Any]:
    return {"name": judged.name, "result": judged.result, "detail": list(judged.detail)}
