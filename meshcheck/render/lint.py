"""Findings of lint as text and as JSON (`meshcheck/lint/v1`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from meshcheck.model.finding import SEVERITIES, Finding
from meshcheck.model.objects import Place, dotted
from meshcheck.model.record import value
from meshcheck.render.style import Style

SCHEMA = "meshcheck/lint/v1"
_REFUSERS = {"api-server": "the API server refuses it", "istiod": "Istio's webhook refuses it"}


@value
class Read:
    """How much was read, and what could not be."""

    files: int
    documents: int
    objects: int
    not_read: tuple[tuple[Place, str], ...]


def lint_json(findings: Sequence[Finding], read: Read) -> dict[str, Any]:
    """The whole report."""
    return {
        "schema": SCHEMA,
        "findings": [_finding(finding) for finding in findings],
        "read": {"files": read.files, "documents": read.documents, "objects": read.objects},
        "not_read": [{"place": _place(place), "reason": reason} for place, reason in read.not_read],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity,
        "confidence": finding.confidence,
        "audience": finding.audience,
        "message": finding.message,
        "object": finding.object and finding.object.as_json(),
        "field": dotted(finding.field),
        "place": _place(finding.place),
        "related": [{"message": other.message, "place": _place(other.place)} for other in finding.related],
        "refused_by": finding.refused_by,
        "fix": None,
        "suppressed": finding.suppressed,
    }


def _place(place: Place | None) -> dict[str, Any] | None:
    return {"file": place.file, "line": place.line, "column": place.column} if place else None


def lint_text(findings: Sequence[Finding], read: Read, style: Style) -> str:
    """One line for each finding, and a count at the end."""
    lines = [_line(finding, style) for finding in findings if not finding.suppressed]
    for place, reason in read.not_read:
        lines.append(f"{style.dim(_shown(place))}  {style.dim(f'not read: {reason}')}")
    counted = Counter(finding.severity for finding in findings if not finding.suppressed)
    parts = [_plural(counted[severity], severity) for severity in SEVERITIES if counted[severity]]
    found = ", ".join(parts) if parts else style.green("nothing found")
    about = f"{_plural(read.objects, 'object')} in {_plural(read.files, 'file')}"
    return "\n".join([*lines, *([""] if lines else []), f"{found}; {about}"]) + "\n"


def _line(finding: Finding, style: Style) -> str:
    mark = {"error": style.red, "warning": style.yellow, "info": style.dim}[finding.severity](finding.severity)
    about = " ".join(str(part) for part in (finding.object, style.bold(dotted(finding.field))) if part)
    refusal = f" ({_REFUSERS[finding.refused_by]})" if finding.refused_by in _REFUSERS else ""
    where = f"{_shown(finding.place)}  " if finding.place else ""
    return f"{where}{mark} {finding.code} {finding.name}  {about}{': ' if about else ''}{finding.message}{refusal}"


def _shown(place: Place) -> str:
    return f"{place.file}:{place.line}:{place.column}"


def _plural(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 or word == "info" else f"{number} {word}s"
