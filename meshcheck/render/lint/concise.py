"""One line for each finding, for editors and grep."""

from __future__ import annotations

from meshcheck.model.finding import Finding
from meshcheck.model.objects import dotted
from meshcheck.render.lint.report import LintReport, message_of, place_words
from meshcheck.render.lint.text import coloured, summary
from meshcheck.render.style import Style


def render(report: LintReport, style: Style) -> str:
    """The findings, what could not be read, and a count."""
    lines = [_line(finding, style) for finding in report.outcome.shown]
    lines += [f"{style.dim(place_words(place))}  {style.dim(f'not read: {reason}')}" for place, reason in report.read.not_read]
    return "\n".join([*lines, *([""] if lines else []), *summary(report, style)]) + "\n"


def _line(finding: Finding, style: Style) -> str:
    about = " ".join(str(part) for part in (finding.object, style.bold(dotted(finding.field))) if part)
    where = f"{place_words(finding.place)}  " if finding.place else ""
    mark = coloured(finding.severity, finding.severity, style)
    return f"{where}{mark} {finding.code} {finding.name}  {about}{': ' if about else ''}{message_of(finding)}"
