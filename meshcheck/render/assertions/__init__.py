"""What became of statements about calls, in its forms: one module each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module

from meshcheck.render.assertions.report import Judged
from meshcheck.render.style import Style

FORMS = {"text": "text", "junit": "junit", "json": "json_report", "github": "github", "markdown": "markdown"}
"""Name of a form → its module here."""


def render(form: str, judged: Sequence[Judged], style: Style) -> str:
    """The report in a form, ending in a newline."""
    written: Callable[[Sequence[Judged], Style], str] = import_module(f"meshcheck.render.assertions.{FORMS[form]}").render
    return written(judged, style)
