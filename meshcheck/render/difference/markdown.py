"""The report for a pull request: what opens first, with a picture of the edges that change."""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.analyse.difference import CallChange
from meshcheck.model.objects import dotted
from meshcheck.render.difference.report import TITLES, DiffReport, answer_words, callers_words, decider_words
from meshcheck.render.difference.text import spans_words, summary
from meshcheck.render.style import Style
from meshcheck.render.trace_command import trace_command

_MOST_ROWS = 40
_MOST_EDGES = 30
_LINES = {"opens": ("==>", "opens"), "closes": ("-. closes .->", ""), "answer": ("-->", "other answer"), "unknown": ("-->", "unknown")}


def render(report: DiffReport, _: Style) -> str:
    """Headings, a picture, tables."""
    lines = [f"### meshcheck diff: {summary(report)}", "", f"`{report.old}` → `{report.new}`", ""]
    if picture := list(_picture(report)):
        lines += ["```mermaid", "flowchart LR", *picture, "```", ""]
    for kind, title in TITLES.items():
        changes = [change for change in report.difference.changes if change.kind == kind]
        if changes:
            lines += [f"#### {title}", "", "| From | To | Requests | Before | After |", "|---|---|---|---|---|"]
            lines += [_row(change) for change in changes[:_MOST_ROWS]]
            if len(changes) > _MOST_ROWS:
                lines.append(f"| … | | {len(changes) - _MOST_ROWS} more | | |")
            lines += ["", *_commands(changes[:5], report.sources), ""]
    if report.connections:
        lines += ["#### Network policies", "", "| From | To | Before | After |", "|---|---|---|---|"]
        lines += [f"| {c.source} | {c.target} | {spans_words(c.old)} | {spans_words(c.new)} |" for c in report.connections[:_MOST_ROWS]]
        lines.append("")
    if report.appeared or report.vanished:
        lines += ["#### Findings of lint", ""]
        for sign, findings in (("🔴 new", report.appeared), ("🟢 gone", report.vanished)):
            lines += [f"- {sign}: {f.code} {f.object or ''}: {_cell(f.message)}{f' (`{f.place}`)' if f.place else ''}" for f in findings]
        lines.append("")
    if report.objects:
        lines += ["<details><summary>Objects</summary>", ""]
        lines += [f"- {c.kind}: {c.ref} {', '.join(f'`{dotted(f)}`' for f in c.fields)}".rstrip() for c in report.objects]
        lines += ["", "</details>", ""]
    if report.difference.inexact:
        lines += ["Left open:", "", *(f"- {_cell(why)}" for why in report.difference.inexact[:10]), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _picture(report: DiffReport) -> Iterator[str]:
    """Edges that change, as Mermaid draws them; callers that fare alike are one node when they are many."""
    names: dict[str, str] = {}
    edges: dict[tuple[str, str, str], None] = {}

    def node(name: str) -> str:
        return names.setdefault(name, f"n{len(names)}")

    for change in report.difference.changes:
        if change.kind in _LINES:
            callers = change.callers if len(change.callers) < 4 else (callers_words(change, 2),)
            for caller in callers:
                edges[node(caller), node(change.target), change.kind] = None
    for name, short in names.items():
        yield f'  {short}["{name.replace(chr(34), chr(39))}"]'
    for source, target, kind in list(edges)[:_MOST_EDGES]:
        line, label = _LINES[kind]
        yield f"  {source} {line}{f'|{label}|' if label else ''} {target}"


def _row(change: CallChange) -> str:
    cells = (callers_words(change), change.target, change.description, _answer(change, True), _answer(change, False))
    return f"| {' | '.join(_cell(cell) for cell in cells)} |"


def _answer(change: CallChange, before: bool) -> str:
    one = change.old if before else change.new
    by = decider_words(one)
    return f"{answer_words(one)} ({by})" if by else answer_words(one)


def _commands(changes: list[CallChange], sources: tuple[str, ...]) -> Iterator[str]:
    yield "```sh"
    yield from (trace_command(change.witness, sources) for change in changes)
    yield "```"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;").replace("*", "\\*")
