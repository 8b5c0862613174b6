"""The report for people: by file, with the line underlined."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence

from meshcheck.lint.project import Outcome
from meshcheck.model.finding import Finding, Severity
from meshcheck.model.objects import Place, dotted
from meshcheck.render.lint.report import LintReport, counted, message_of, place_words, plural
from meshcheck.render.style import Style

WIDTH = 100
MOST_KINDS = 6
MANY, FEW = 6, 3
"""Findings that say the same in more places than MANY are shown FEW times."""


def render(report: LintReport, style: Style) -> str:
    """Findings by file, what could not be read, and a count."""
    lines: list[str] = []
    file = None
    shown, more = _first_of_many(report.outcome.shown)
    for finding in shown:
        here = finding.place.file if finding.place else ""
        if here != file:
            lines += [style.bold(here or "without a place")]
            file = here
        lines += [*_finding(finding, report, style), ""]
    for (code, message), number in more.items():
        lines.append(f"  {style.bold(code)} {style.dim(f'in {number} more places (`-o concise` lists all):')} {message}")
    for place, reason in report.read.not_read:
        lines.append(f"{style.dim(place_words(place))}  {style.dim(f'not read: {reason}')}")
    if more or report.read.not_read:
        lines.append("")
    return "\n".join([*lines, *summary(report, style)]) + "\n"


def _first_of_many(findings: Sequence[Finding]) -> tuple[list[Finding], dict[tuple[str, str], int]]:
    """Of findings that say the same in many places the first few, and how many more there are: one cause should not hide the others."""
    numbers = Counter((finding.code, finding.message) for finding in findings)
    seen: Counter[tuple[str, str]] = Counter()
    shown = []
    for finding in findings:
        key = finding.code, finding.message
        seen[key] += 1
        if numbers[key] <= MANY or seen[key] <= FEW:
            shown.append(finding)
    return shown, {key: number - FEW for key, number in numbers.items() if number > MANY}


def summary(report: LintReport, style: Style) -> list[str]:
    """The count, and what a reader should know about it."""
    outcome, read = report.outcome, report.read
    found = counted(outcome.shown) or style.green("nothing found")
    about = f"{plural(read.objects, 'object')} in {plural(read.files, 'file')}"
    lines = [f"{found}; {about}; {plural(len(outcome.rules) - len(outcome.not_evaluated), 'rule')}"]
    if hidden := len(outcome.findings) - len(outcome.shown):
        lines.append(style.dim(f"{plural(hidden, 'finding')} suppressed"))
    missing = {code for item in outcome.unjudged for code in item.rules}
    silent = set(outcome.not_evaluated) - missing
    waiting = [rule for rule in outcome.rules if rule.code in silent and rule.needs == "absence"]
    if waiting:
        claims = "it claims" if len(waiting) == 1 else "they claim"
        said = f"{plural(len(waiting), 'rule')} did not speak: {claims} that something does not exist"
        lines.append(style.dim(f"{said}; `--closed-world` says that all of it is here"))
    lines += _unjudged(outcome, style)
    if outcome.stale:
        entries = "1 entry" if outcome.stale == 1 else f"{outcome.stale} entries"
        lines.append(style.dim(f"{entries} of the baseline no longer found: write it again with `--write-baseline`"))
    if outcome.shown:
        lines.append(style.dim(f"`meshcheck explain {outcome.shown[0].code}` says more"))
    return lines


def _unjudged(outcome: Outcome, style: Style) -> Iterator[str]:
    """What was not looked at, and what follows of it. MC954 has the reasons."""
    for chosen, about in ((False, "could not be judged everywhere, without"), (True, "would look into other namespaces, too, for")):
        items = [item for item in outcome.unjudged if item.chosen is chosen]
        codes = {code for item in items for code in item.rules if not chosen or code in outcome.not_evaluated}
        if codes:
            more = f" and {len(items) - MOST_KINDS} more (`-o json` lists all)" if len(items) > MOST_KINDS else ""
            words = f"{plural(len(codes), 'rule')} {about} {', '.join(item.what for item in items[:MOST_KINDS])}{more}"
            yield style.dim(words) if chosen else style.yellow(words)
    if outcome.undecided:
        rules = plural(len(outcome.undecided), "rule")
        yield style.yellow(f"not decided: {rules} might have found more at or above the threshold; `--allow-unknown` lets that pass")


def coloured(severity: Severity, words: str, style: Style) -> str:
    """Words in the colour of a severity."""
    return {"error": style.red, "warning": style.yellow, "info": style.cyan}[severity](words)


def _finding(finding: Finding, report: LintReport, style: Style) -> Iterator[str]:
    at = f"{finding.place.line}:{finding.place.column}  " if finding.place and finding.place.line else ""
    mark = coloured(finding.severity, finding.severity, style)
    about = " ".join(str(part) for part in (finding.object, dotted(finding.field)) if part)
    yield f"  {style.dim(at)}{mark} {style.bold(finding.code)} {finding.name}  {style.dim(about)}".rstrip()
    yield from textwrap.wrap(
        message_of(finding), WIDTH, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False, break_long_words=False
    )
    if finding.place is not None:
        yield from _excerpt(finding.place, finding.end_column, report, coloured(finding.severity, "{}", style), style)
    for other in finding.related:
        where = f"  {style.dim(place_words(other.place))}" if other.place else ""
        yield f"    {style.dim('see')} {other.message}{where}"
    if finding.fix is not None:
        yield f"    {style.green('fix')} {finding.fix.description}{'' if finding.fix.safe else style.dim(' (look at it first)')}"


def _excerpt(place: Place, end: int | None, report: LintReport, mark: str, style: Style) -> Iterator[str]:
    """The line, and a line that underlines the place."""
    line = report.line(place)
    if not line.strip():
        return
    number = str(place.line)
    start = min(place.column - 1, len(line))
    length = max(1, min((end or len(line) + 1) - 1, len(line)) - start)
    shown, start = _cut(line.replace("\t", " "), start, length)
    yield f"    {style.dim(f'{number} │')} {shown}"
    yield f"    {style.dim(' ' * len(number) + ' │')} {' ' * start}{mark.format('^' * min(length, len(shown) - start or 1))}"


def _cut(line: str, start: int, length: int) -> tuple[str, int]:
    """A long line is cut to what is around the place."""
    if len(line) <= WIDTH:
        return line, start
    left = max(0, min(start - 20, len(line) - WIDTH))
    text = ("…" if left else "") + line[left + bool(left) : left + WIDTH] + ("…" if left + WIDTH < len(line) else "")
    return text, start - left
