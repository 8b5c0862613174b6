"""The report for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from meshcheck.render.assertions.report import MARKS, Judged, counts, kinds, summary, why_lines
from meshcheck.render.lint.report import plural
from meshcheck.render.style import Style


def render(judged: Sequence[Judged], style: Style) -> str:
    """File by file; statements that do not hold with the calls that break them."""
    out: list[str] = []
    file = ""
    for one in judged:
        if one.file != file:
            file = one.file
            out.append(style.bold(file))
        out += (f"  {line}" for line in statement_lines(one, style))
    found = counts(judged)
    paint = style.red if found["fails"] else style.yellow if found["unknown"] else style.green
    return "\n".join([*out, "", paint(summary(judged))]) + "\n"


def statement_lines(one: Judged, style: Style) -> list[str]:
    """One statement and its outcome."""
    found = one.judgement
    paint = {"holds": style.green, "fails": style.red, "unknown": style.yellow}[found.outcome]
    size = f"  {plural(found.pairs, 'pair')}, {kinds(found.kinds)}" if found.outcome == "holds" else f"  line {one.line}"
    head = f"{paint(MARKS[found.outcome])} {found.assertion.name}{style.dim(size)}"
    return [head] if found.outcome == "holds" else [head, *(f"  {line}" for line in why_lines(one, style))]
