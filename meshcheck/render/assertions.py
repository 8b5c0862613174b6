"""What became of statements about calls: text, JUnit, JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree as xml

from meshcheck.analyse.assertions.assertion import Example, Judgement
from meshcheck.model.record import NamedTuple
from meshcheck.render.lint.junit import clean
from meshcheck.render.lint.report import plural
from meshcheck.render.style import Style
from meshcheck.render.trace_command import trace_command

FORMS = ("text", "junit", "json")
OUTCOMES = ("holds", "fails", "unknown")


class Judged(NamedTuple):
    """One statement, where it stands, and the words that name its sources on a command line."""

    file: str
    line: int
    judgement: Judgement
    sources: tuple[str, ...]


def render(form: str, judged: Sequence[Judged], style: Style) -> str:
    """The report in one of the forms."""
    if form == "json":
        return json.dumps(as_json(judged), ensure_ascii=False, indent=2) + "\n"
    return _junit(judged) if form == "junit" else _text(judged, style)


def _kinds(number: int) -> str:
    return "1 kind of request" if number == 1 else f"{number} kinds of requests"


def counts(judged: Sequence[Judged]) -> dict[str, int]:
    """How many statements have each outcome."""
    return {outcome: sum(one.judgement.outcome == outcome for one in judged) for outcome in OUTCOMES}


def as_json(judged: Sequence[Judged]) -> dict[str, Any]:
    """`meshcheck/test/v1`."""
    return {"schema": "meshcheck/test/v1", "summary": counts(judged), "tests": [_row(one) for one in judged]}


def _row(one: Judged) -> dict[str, Any]:
    found = one.judgement
    return {
        "name": found.assertion.name,
        "file": one.file,
        "line": one.line,
        "outcome": found.outcome,
        "expect": found.assertion.expect,
        "why": found.why or None,
        "because": found.assertion.because or None,
        "pairs": found.pairs,
        "kinds": found.kinds,
        "seconds": round(found.seconds, 3),
        "examples": [
            {
                "verdict": example.verdict,
                "said": example.said,
                "requests": example.description,
                "callers": example.alike,
                "command": trace_command(example.question, one.sources),
            }
            for example in found.examples
        ],
    }


def _text(judged: Sequence[Judged], style: Style) -> str:
    out: list[str] = []
    file = ""
    for one in judged:
        if one.file != file:
            file = one.file
            out.append(style.bold(file))
        out += _lines(one, style)
    found = counts(judged)
    words = (("holds", "hold"), ("fails", "fail"), ("unknown", "unknown"))
    summary = ", ".join(f"{found[name]} {word}" for name, word in words if found[name])
    paint = style.red if found["fails"] else style.yellow if found["unknown"] else style.green
    return "\n".join([*out, "", paint(summary or "nothing to judge")]) + "\n"


_MARKS = {"holds": "✓", "fails": "✗", "unknown": "?"}


def _lines(one: Judged, style: Style) -> list[str]:
    found = one.judgement
    paint = {"holds": style.green, "fails": style.red, "unknown": style.yellow}[found.outcome]
    size = f"  {plural(found.pairs, 'pair')}, {_kinds(found.kinds)}" if found.outcome == "holds" else f"  line {one.line}"
    out = [f"  {paint(_MARKS[found.outcome])} {found.assertion.name}{style.dim(size)}"]
    if found.outcome == "holds":
        return out
    if found.assertion.because:
        out.append(f"    because: {found.assertion.because}")
    if not found.examples:
        out.append(f"    {found.why}")
    for example in found.examples:
        out += _example(example, found, style, one.sources)
    return out


def _example(example: Example, found: Judgement, style: Style, sources: tuple[str, ...]) -> list[str]:
    wanted = f"{found.assertion.expect}{f' ({found.assertion.status})' if found.assertion.status else ''}"
    by = f" by {found.assertion.by}" if found.assertion.by else ""
    more = f" (and {example.alike - 1} more callers that fare alike)" if example.alike > 1 else ""
    out = [f"    expected {wanted}{by}, found {example.said}{more}", f"      requests: {example.description}"]
    if found.outcome == "unknown" and found.why not in example.said:
        out.append(f"      {found.why}")
    return [*out, f"      {style.cyan(trace_command(example.question, sources))}"]


def _junit(judged: Sequence[Judged]) -> str:
    root = xml.Element("testsuites", name="meshcheck test")
    suites: dict[str, xml.Element] = {}
    for one in judged:
        found = one.judgement
        suite = suites.get(one.file)
        if suite is None:
            suite = suites[one.file] = xml.SubElement(root, "testsuite", name=one.file)
        name, seconds = found.assertion.name, f"{found.seconds:.3f}"
        case = xml.SubElement(suite, "testcase", classname=one.file, name=name, file=one.file, line=str(one.line), time=seconds)
        words = "\n".join(_lines(one, Style(False)))
        if found.outcome == "fails":
            xml.SubElement(case, "failure", message=found.why).text = words
        elif found.outcome == "unknown":
            xml.SubElement(case, "error", type="unknown", message=found.why).text = words
    for suite in (*suites.values(), root):
        for key, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
            suite.set(key, str(sum(1 for _ in suite.iter(tag))))
    xml.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + clean(xml.tostring(root, encoding="unicode")) + "\n"
