"""SARIF 2.1.0 (OASIS, "Static Analysis Results Interchange Format"), as code scanning services read it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from difflib import SequenceMatcher
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from meshcheck.lint.baseline import fingerprint
from meshcheck.lint.rule import Rule
from meshcheck.model.finding import Finding
from meshcheck.model.objects import Place
from meshcheck.model.trace import Fix
from meshcheck.patch import changes_of
from meshcheck.patch.preview import TextOf, preview
from meshcheck.render.lint.report import LintReport, message_of
from meshcheck.render.style import Style

_LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_PRECISION = {"high": "very-high", "medium": "high", "low": "medium"}


def render(report: LintReport, _: Style) -> str:
    """One run. Suppressed findings are in it, as suppressed."""
    return json.dumps(sarif(report), indent=2) + "\n"


def sarif(report: LintReport) -> dict[str, Any]:
    """The log as a value."""
    rules = {rule.code: number for number, rule in enumerate(report.outcome.rules)}
    run = {
        "tool": {
            "driver": {
                "name": "meshcheck",
                "semanticVersion": report.version,
                "rules": [_rule(rule) for rule in report.outcome.rules],
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": not report.read.not_read,
                "toolExecutionNotifications": [
                    {"level": "error", "message": {"text": f"not read: {reason}"}, "locations": [{"physicalLocation": _physical(place)}]}
                    for place, reason in report.read.not_read
                ],
            }
        ],
        "results": [_result(finding, rules, report.text_of) for finding in report.outcome.findings],
    }
    return {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.code,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.summary},
        "help": {"text": rule.page.strip(), "markdown": rule.page.strip()},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"precision": _PRECISION[rule.confidence], "tags": [rule.audience]},
    }


def _result(finding: Finding, rules: dict[str, int], text_of: TextOf) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{finding.object}: {message_of(finding)}" if finding.object else message_of(finding)},
        "partialFingerprints": {"meshcheck/v1": fingerprint(finding)},
    }
    if finding.code in rules:
        result["ruleIndex"] = rules[finding.code]
    location: dict[str, Any] = {}
    if finding.place is not None:
        location["physicalLocation"] = _physical(finding.place, finding.end_column)
    if finding.object is not None:
        location["logicalLocations"] = [{"fullyQualifiedName": str(finding.object), "kind": "object"}]
    if location:
        result["locations"] = [location]
    if finding.related:
        result["relatedLocations"] = [
            {"id": number, "message": {"text": other.message}, **({"physicalLocation": _physical(other.place)} if other.place else {})}
            for number, other in enumerate(finding.related)
        ]
    if finding.fix is not None and (changes := list(_changes(finding.fix, text_of))):
        result["fixes"] = [{"description": {"text": finding.fix.description}, "artifactChanges": changes}]
    if finding.suppressed:
        kind, _, reason = (finding.suppressed_by or "").partition(": ")
        inside = kind in ("annotation", "comment")
        result["suppressions"] = [{"kind": "inSource" if inside else "external", "justification": reason or kind}]
    return result


def _changes(fix: Fix, text_of: TextOf) -> Iterator[dict[str, Any]]:
    """Whole lines that a fix replaces, document by document; nothing where one of them cannot be changed as a text."""
    previews = [preview(change, text_of) for change in changes_of(fix)]
    if any(shown.new is None or shown.change.new is not None or shown.change.origin is None for shown in previews):
        return
    for shown in previews:
        assert shown.new is not None
        assert shown.change.origin is not None
        old, new = shown.old.splitlines(keepends=True), shown.new.splitlines(keepends=True)
        replacements = [
            {
                "deletedRegion": {"startLine": shown.line + low, "startColumn": 1, "endLine": shown.line + high, "endColumn": 1},
                "insertedContent": {"text": "".join(new[start:end])},
            }
            for tag, low, high, start, end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
            if tag != "equal"
        ]
        yield {"artifactLocation": _artifact(shown.change.origin.file), "replacements": replacements}


def _physical(place: Place, end_column: int | None = None) -> dict[str, Any]:
    if not place.line:  # an object of a cluster: it has no text
        return {"artifactLocation": {"uri": place.file.replace(" ", "/")}}
    region: dict[str, Any] = {"startLine": place.line, "startColumn": place.column}
    if end_column and end_column > place.column:
        region |= {"endLine": place.line, "endColumn": end_column}
    return {"artifactLocation": _artifact(place.file), "region": region}


def _artifact(file: str) -> dict[str, str]:
    path = PurePath(file)
    if path.is_absolute():
        return {"uri": path.as_uri()}
    return {"uri": quote(path.as_posix()), "uriBaseId": "%SRCROOT%"}
