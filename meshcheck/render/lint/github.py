"""Annotations on a change at GitHub: workflow commands, one line for each finding."""

from __future__ import annotations

from meshcheck.model.finding import Finding
from meshcheck.render.lint.report import LintReport, message_of
from meshcheck.render.style import Style
from meshcheck.render.workflow_command import workflow_command

_COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}


def render(report: LintReport, _: Style) -> str:
    """The commands; nothing when there is nothing to say."""
    return "".join(_command(finding) + "\n" for finding in report.outcome.shown)


def _command(finding: Finding) -> str:
    place = finding.place
    properties = {}
    if place is not None and place.line:
        properties = {"file": place.file, "line": str(place.line), "col": str(place.column)}
        if finding.end_column:
            properties |= {"endLine": str(place.line), "endColumn": str(finding.end_column)}
    properties["title"] = f"{finding.code} {finding.name}"
    about = f"{finding.object}: " if finding.object else ""
    return workflow_command(_COMMANDS[finding.severity], about + message_of(finding), **properties)
