"""The report of the job as Markdown: the result first, then what did not pass, then what was read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from meshcheck.model.finding import Finding
from meshcheck.model.objects import dotted
from meshcheck.model.report import Answer, CheckReport, Judged, Report

_SIGNS = {"passed": "✅", "failed": "❌", "unknown": "❔", "error": "⚠️"}
_WORDS = {
    "passed": "everything passed",
    "failed": "checks failed",
    "unknown": "not everything could be decided",
    "error": "a check could not be carried out",
}


def report_markdown(report: Report) -> str:
    """The whole report, ending in a newline."""
    lines = [
        f"# {_SIGNS[report.result]} meshcheck: {_WORDS[report.result]}",
        "",
        f"{report.started}, {report.seconds:.1f} s, meshcheck {report.version}, {_read(report)}",
        "",
        "| Check | Result | |",
        "|---|---|---|",
        *(f"| {_cell(check.name)} | {_SIGNS[check.result]} {check.result} | {_cell(_summary(check))} |" for check in report.checks),
    ]
    for check in report.checks:
        lines += _details(check)
    if report.gaps:
        lines += ["", "## Not read", "", *(f"- {_text(gap.what)}: {_text(gap.reason)}" for gap in report.gaps if not gap.chosen)]
        if chosen := [gap.what for gap in report.gaps if gap.chosen]:
            lines.append(f"- Namespaces that nobody asked for: {_few(chosen, 'kinds')}")
    if report.truncated:
        lines += ["", "Entries were left out so that the report fits; the numbers in the table count all of them."]
    return "\n".join(lines) + "\n"


def _read(report: Report) -> str:
    number = sum(count for _, count in report.objects)
    return f"{number} object{'' if number == 1 else 's'} of {_text(report.source)}"


def _summary(check: CheckReport) -> str:
    parts = [f"{number} {word}" for word, number in check.counts if number]
    if check.suppressed:
        parts.append(f"{check.suppressed} suppressed")
    return "; ".join(part for part in (", ".join(parts) or "nothing found", check.message) if part)


def _details(check: CheckReport) -> Iterator[str]:
    shown = [line for item in check.items for line in _item(item)]
    missed = [u for u in check.unjudged if not u.chosen]
    if not shown and not check.omitted and not missed:
        return
    yield from ("", f"## {_text(check.name)}", "")
    yield from shown
    yield from (f"- ❔ {_text(u.what)} was not read, and so not judged by {_few(u.rules, 'rules')}" for u in missed)
    if check.omitted:
        yield f"- … and {check.omitted} more"


def _few(words: Sequence[str], things: str, most: int = 12) -> str:
    """The first few, and how many there are beside them."""
    return ", ".join(map(_text, words[:most])) + (f" and {len(words) - most} more {things}" if len(words) > most else "")


def _item(item: Finding | Answer | Judged) -> Iterable[str]:
    if isinstance(item, Finding):
        return _finding(item)
    if item.result == "passed":
        return ()
    return _answer(item) if isinstance(item, Answer) else _judged(item)


def _finding(finding: Finding) -> Iterator[str]:
    if not finding.suppressed:
        about = " ".join(str(part) for part in (finding.object, dotted(finding.field)) if part)
        where = f" ({_code(str(finding.place))})" if finding.place else ""
        what = f"{_code(about)} {_text(finding.message)}" if about else _text(finding.message)
        yield f"- **{finding.severity}** {finding.code} {finding.name}: {what}{where}"


def _answer(answer: Answer) -> Iterator[str]:
    yield f"- {_SIGNS[answer.result]} {_code(answer.id)} {_text(answer.call)}"
    if answer.headline:
        yield f"  - {_text(answer.headline)} (expected: {answer.expect})"
    yield from (f"  - Cause: {_text(cause)}" for cause in answer.causes[:1])
    yield from (f"  - Fix: {_text(fix)}" for fix in answer.fixes[:1])
    yield from (f"  - Missing: {_text(fact)}" for fact in answer.missing)


def _judged(judged: Judged) -> Iterator[str]:
    yield f"- {_SIGNS[judged.result]} {_text(judged.name)}"
    yield from (f"  - {_text(line)}" for line in judged.detail)


def _text(words: str) -> str:
    """Words of objects as words: names come from the cluster, and none of them may open a tag or a new line."""
    return " ".join(words.replace("<", "&lt;").split())


def _code(words: str) -> str:
    return "`" + " ".join(words.replace("`", "'").split()) + "`"


def _cell(words: str) -> str:
    return _text(words).replace("|", "\\|")
