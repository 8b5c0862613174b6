"""What `meshcheck diff` found, in its forms: one module each."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from meshcheck.render.difference.report import DiffReport
from meshcheck.render.style import Style

FORMS = {"text": "text", "json": "json_report", "markdown": "markdown"}
"""Name of a form → its module here."""


def render(form: str, report: DiffReport, style: Style) -> str:
    """The report in a form, ending in a newline."""
    written: Callable[[DiffReport, Style], str] = import_module(f"meshcheck.render.difference.{FORMS[form]}").render
    return written(report, style)
