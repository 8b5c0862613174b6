"""The report for a pull request or a job's summary."""

from __future__ import annotations

from collections.abc import Sequence

from meshcheck.render.assertions.report import MARKS, Judged, kinds, summary, why_lines
from meshcheck.render.lint.report import plural
from meshcheck.render.style import Style


def render(judged: Sequence[Judged], _: Style) -> str:
    """A heading with the count, and each statement; those that do not hold with the calls that break them."""
    lines = [f"### meshcheck test: {summary(judged)}"]
    file = ""
    for one in judged:
        if one.file != file:
            file = one.file
            lines += ["", f"`{file}`", ""]
        lines += _lines(one)
    return "\n".join(lines) + "\n"


def _lines(one: Judged) -> list[str]:
    found = one.judgement
    name = found.assertion.name.replace("<", "&lt;").replace("\n", " ")
    if found.outcome == "holds":
        return [f"- {MARKS[found.outcome]} {name} ({plural(found.pairs, 'pair')}, {kinds(found.kinds)})"]
    head = f"- {MARKS[found.outcome]} **{name}** (line {one.line})"
    return [head, "", "  ```text", *(f"  {line}" for line in why_lines(one, Style(False))), "  ```", ""]
