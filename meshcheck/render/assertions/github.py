"""Annotations at GitHub, at the line of each statement that does not hold."""

from __future__ import annotations

from collections.abc import Sequence

from meshcheck.render.assertions.report import Judged, why_lines
from meshcheck.render.style import Style
from meshcheck.render.workflow_command import workflow_command


def render(judged: Sequence[Judged], _: Style) -> str:
    """The commands; nothing when all hold. What is unknown is a warning."""
    return "".join(_command(one) + "\n" for one in judged if one.judgement.outcome != "holds")


def _command(one: Judged) -> str:
    found = one.judgement
    words = "\n".join(why_lines(one, Style(False)))
    title = f"{found.assertion.name}: {'fails' if found.outcome == 'fails' else 'unknown'}"
    return workflow_command("error" if found.outcome == "fails" else "warning", words, file=one.file, line=str(one.line), title=title)
