"""The report as JSON: `meshcheck/diff/v1`."""

from __future__ import annotations

import json
from typing import Any

from meshcheck.analyse.classes import RequestClass
from meshcheck.analyse.connections import Changed, Connections
from meshcheck.analyse.difference import CallChange
from meshcheck.model.objects import dotted
from meshcheck.render.difference.report import DiffReport
from meshcheck.render.lint.json_report import finding_json
from meshcheck.render.style import Style
from meshcheck.render.trace_command import trace_command
from meshcheck.render.trace_json import place_json, question_json, symptom_json

SCHEMA = "meshcheck/diff/v1"


def render(report: DiffReport, _: Style) -> str:
    """The whole report, indented."""
    return json.dumps(diff_json(report), indent=2) + "\n"


def diff_json(report: DiffReport) -> dict[str, Any]:
    """The report as a value."""
    return {
        "schema": SCHEMA,
        "old": report.old,
        "new": report.new,
        "objects": [
            {
                "object": change.ref.as_json(),
                "change": change.kind,
                "fields": [dotted(field) for field in change.fields],
                "place": place_json(report.locate(change, change.fields[0] if change.fields else ())),
            }
            for change in report.objects
        ],
        "calls": [_call(change, report.sources) for change in report.difference.changes],
        "connections": None if report.connections is None else [_connection(changed) for changed in report.connections],
        "findings": {
            "new": [finding_json(finding) for finding in report.appeared],
            "gone": [finding_json(finding) for finding in report.vanished],
        }
        if report.linted
        else None,
        "inexact": list(report.difference.inexact),
    }


def _call(change: CallChange, sources: tuple[str, ...]) -> dict[str, Any]:
    return {
        "change": change.kind,
        "from": list(change.callers),
        "to": change.target,
        "requests": change.description,
        "question": question_json(change.witness),
        "command": trace_command(change.witness, sources),
        "old": _answer(change.old),
        "new": _answer(change.new),
    }


def _answer(one: RequestClass | None) -> dict[str, Any] | None:
    if one is None:
        return None
    return {
        "verdict": one.verdict,
        "symptom": symptom_json(one.symptom),
        "object": one.policy and one.policy.as_json(),
        "policy_id": one.policy_id,
        "missing": [{"fact": missing.fact, "needed_by": missing.needed_by} for missing in one.missing],
    }


def _connection(changed: Changed) -> dict[str, Any]:
    return {
        "change": changed.kind,
        "from": str(changed.source),
        "to": str(changed.target),
        "old": _ports(changed.old),
        "new": _ports(changed.new),
    }


def _ports(connections: Connections | None) -> dict[str, Any] | None:
    if connections is None:
        return None
    return {protocol: [list(span) for span in spans] for protocol, spans in connections.allowed.items()}
