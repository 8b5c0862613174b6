"""The report for a pull request or a job's summary."""

from __future__ import annotations

from meshcheck.model.finding import Finding
from meshcheck.model.objects import dotted
from meshcheck.render.lint.report import LintReport, counted, message_of, plural
from meshcheck.render.style import Style

_MARKS = {"error": "🔴", "warning": "🟡", "info": "🔵"}


def render(report: LintReport, _: Style) -> str:
    """A heading with the count, and a table."""
    shown = report.outcome.shown
    about = f"{plural(report.read.objects, 'object')} in {plural(report.read.files, 'file')}"
    lines = [f"### meshcheck lint: {counted(shown) or 'nothing found'}", "", f"{about}."]
    if shown:
        lines += ["", "| | Rule | Object | Place | Finding |", "|---|---|---|---|---|", *(_row(finding) for finding in shown)]
    if report.read.not_read:
        lines += ["", "Not read:", ""]
        lines += [f"- `{place}`: {_cell(reason)}" for place, reason in report.read.not_read]
    return "\n".join(lines) + "\n"


def _row(finding: Finding) -> str:
    where = f"`{finding.place}`" if finding.place else ""
    about = f"{finding.object or ''} `{dotted(finding.field)}`" if finding.field else str(finding.object or "")
    cells = (_MARKS[finding.severity], f"{finding.code} {finding.name}", _cell(about), where, _cell(message_of(finding)))
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")
