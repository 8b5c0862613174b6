"""Statements about calls with their outcomes, and the lines that say what broke one."""

from __future__ import annotations

from collections.abc import Sequence

from meshcheck.analyse.assertions.assertion import Example, Judgement
from meshcheck.model.record import NamedTuple
from meshcheck.render.style import Style
from meshcheck.render.trace_command import trace_command

OUTCOMES = ("holds", "fails", "unknown")
_WORDS = (("holds", "hold"), ("fails", "fail"), ("unknown", "unknown"))
MARKS = {"holds": "✓", "fails": "✗", "unknown": "?"}


class Judged(NamedTuple):
    """One statement, where it stands, and the words that name its sources on a command line."""

    file: str
    line: int
    judgement: Judgement
    sources: tuple[str, ...]


def counts(judged: Sequence[Judged]) -> dict[str, int]:
    """How many statements have each outcome."""
    return {outcome: sum(one.judgement.outcome == outcome for one in judged) for outcome in OUTCOMES}


def summary(judged: Sequence[Judged]) -> str:
    """`4 hold, 1 fail`."""
    found = counts(judged)
    return ", ".join(f"{found[name]} {word}" for name, word in _WORDS if found[name]) or "nothing to judge"


def kinds(number: int) -> str:
    """`2 kinds of requests`."""
    return "1 kind of request" if number == 1 else f"{number} kinds of requests"


def why_lines(one: Judged, style: Style) -> list[str]:
    """Of a statement that does not hold: why it was made, and the calls that break it."""
    found = one.judgement
    out = [f"because: {found.assertion.because}"] if found.assertion.because else []
    if not found.examples:
        out.append(found.why)
    for example in found.examples:
        out += _example(example, found, style, one.sources)
    return out


def _example(example: Example, found: Judgement, style: Style, sources: tuple[str, ...]) -> list[str]:
    wanted = f"{found.assertion.expect}{f' ({found.assertion.status})' if found.assertion.status else ''}"
    by = f" by {found.assertion.by}" if found.assertion.by else ""
    more = f" (and {example.alike - 1} more callers that fare alike)" if example.alike > 1 else ""
    out = [f"expected {wanted}{by}, found {example.said}{more}", f"  requests: {example.description}"]
    if found.outcome == "unknown" and found.why not in example.said:
        out.append(f"  {found.why}")
    return [*out, f"  {style.cyan(trace_command(example.question, sources))}"]
