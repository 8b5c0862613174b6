"""The report for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from meshcheck.analyse.changed_objects import ObjectChange
from meshcheck.analyse.connections import Changed, Connections, Spans
from meshcheck.analyse.difference import CallChange
from meshcheck.model.finding import Finding
from meshcheck.model.objects import dotted
from meshcheck.render.difference.report import MARKS, TITLES, DiffReport, answer_words, callers_words, decider_words
from meshcheck.render.lint.report import plural
from meshcheck.render.style import Style
from meshcheck.render.trace_command import trace_command

_MOST_OF_A_KIND = 25


def render(report: DiffReport, style: Style) -> str:
    """Objects, calls, findings, and a count."""
    lines: list[str] = []
    if report.objects:
        lines += [style.bold("Objects"), *(_object(change, report, style) for change in report.objects), ""]
    for kind, title in TITLES.items():
        changes = [change for change in report.difference.changes if change.kind == kind]
        if changes:
            lines += [style.bold(title), *(line for change in changes[:_MOST_OF_A_KIND] for line in _call(change, report, style))]
            lines += (
                [style.dim(f"  … and {len(changes) - _MOST_OF_A_KIND} more (`-o json` has all)")] if len(changes) > _MOST_OF_A_KIND else []
            )
            lines.append("")
    if report.connections:
        lines += [style.bold("Network policies"), *(_connection(changed, style) for changed in report.connections), ""]
    if report.appeared or report.vanished:
        lines += [style.bold("Findings of lint"), *_findings(report, style), ""]
    if report.difference.inexact:
        lines += [style.bold("Left open"), *(f"  {why}" for why in report.difference.inexact[:10]), ""]
    return "\n".join([*lines, summary(report)]) + "\n"


def summary(report: DiffReport) -> str:
    """One line with all counts."""
    kinds = [change.kind for change in report.difference.changes]
    counts = [f"{kinds.count(kind)} {words}" for kind, words in _COUNTED.items() if kind in kinds]
    if report.connections:
        counts.append(f"{len(report.connections)} connections")
    if report.linted:
        counts += [plural(len(report.appeared), "new finding")] if report.appeared else []
        counts += [f"{len(report.vanished)} findings gone"] if report.vanished else []
    number = len(report.objects)
    objects = f"{number} object{'' if number == 1 else 's'} differ{'s' if number == 1 else ''}"
    return f"{objects}; {', '.join(counts)}" if counts else f"{objects}; no call fares otherwise"


_COUNTED = {
    "opens": "newly allowed",
    "closes": "no longer allowed",
    "unknown": "known before or after only",
    "answer": "refused in another way",
    "policy": "decided by another rule",
}


def _object(change: ObjectChange, report: DiffReport, style: Style) -> str:
    mark = {"added": style.green("+"), "removed": style.red("-"), "changed": style.yellow("~")}[change.kind]
    place = report.locate(change, change.fields[0] if change.fields else ())
    fields = f"  {', '.join(dotted(field) for field in change.fields[:4])}" if change.fields else ""
    more = " …" if len(change.fields) > 4 else ""
    return f"  {mark} {change.ref}{fields}{more}{style.dim(f'   {place}') if place else ''}"


def _call(change: CallChange, report: DiffReport, style: Style) -> Iterator[str]:
    paint = {"opens": style.green, "closes": style.red}.get(change.kind, style.yellow)
    yield f"  {paint(MARKS[change.kind])} {callers_words(change)} → {change.target}   {style.bold(change.description)}"
    yield f"      {_answer(change)}"
    yield f"      {style.dim(trace_command(change.witness, report.sources))}"


def _answer(change: CallChange) -> str:
    """`403 RBAC: access denied (…) → allowed (…)`."""
    parts = []
    for one in (change.old, change.new):
        by = decider_words(one)
        parts.append(f"{answer_words(one)}{f' ({by})' if by else ''}")
    return " → ".join(parts)


def _connection(changed: Changed, style: Style) -> str:
    mark = {"added": style.green("+"), "removed": style.red("-"), "changed": style.yellow("~")}[changed.kind]
    return f"  {mark} {changed.source} → {changed.target}   {spans_words(changed.old)} → {spans_words(changed.new)}"


def spans_words(connections: Connections | None) -> str:
    """`TCP 80, 443; UDP all`; with what is not known behind it."""
    if connections is None:
        return "not there"
    known = _spans(connections.allowed)
    if not connections.unknown:
        return known or "none"
    return f"{known}; unknown: {_spans(connections.unknown)}" if known else f"unknown: {_spans(connections.unknown)}"


def _spans(ports: Mapping[str, Spans]) -> str:
    parts = []
    for protocol, spans in ports.items():
        shown = ", ".join("all" if span == (1, 65535) else str(span[0]) if span[0] == span[1] else f"{span[0]}-{span[1]}" for span in spans)
        parts.append(f"{protocol} {shown}")
    return "all" if len(parts) == 3 and all(part.endswith(" all") for part in parts) else "; ".join(parts)


def _findings(report: DiffReport, style: Style) -> Iterator[str]:
    for mark, findings in ((style.red("+"), report.appeared), (style.green("-"), report.vanished)):
        for finding in findings:
            yield _finding(finding, mark, style)


def _finding(finding: Finding, mark: str, style: Style) -> str:
    place = style.dim(f"   {finding.place}") if finding.place else ""
    return f"  {mark} {finding.severity} {finding.code} {finding.object or ''}: {finding.message}{place}"
