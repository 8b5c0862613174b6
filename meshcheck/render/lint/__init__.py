"""The report of lint in its forms: one module each."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from meshcheck.render.lint.report import LintReport
from meshcheck.render.style import Style

FORMS = {
    "text": "text",
    "concise": "concise",
    "json": "json_report",
    "sarif": "sarif",
    "junit": "junit",
    "github": "github",
    "gitlab": "gitlab",
    "markdown": "markdown",
}
"""Name of a form → its module here."""


def render(form: str, report: LintReport, style: Style) -> str:
    """The report in a form, ending in a newline. Only the module of the form is imported."""
    written: Callable[[LintReport, Style], str] = import_module(f"meshcheck.render.lint.{FORMS[form]}").render
    return written(report, style)
