"""Findings that somebody decided to live with: marked in the object, in the text, or in the project's settings.

annotation  `meshcheck.io/ignore: "MC213: the application has a star in its paths; MC102"` on the object
comment     `# meshcheck: ignore[MC213] the application has a star in its paths`, behind a line or on a line of its own above it;
            `# meshcheck: ignore-file[MC9] …` for the whole file
settings    `[[lint.suppress]]` with `code`, `object`, `path`, `reason`
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase

from meshcheck.decode.collect import Document
from meshcheck.lint.evidence import reference
from meshcheck.lint.marks import Applied, Suppression
from meshcheck.lint.rule import Rule
from meshcheck.lint.settings import Excused, means
from meshcheck.model.finding import Finding
from meshcheck.model.objects import ObjectRef, Place, Span
from meshcheck.model.pattern import pattern
from meshcheck.model.record import replace

ANNOTATION = "meshcheck.io/ignore"
_COMMENT = pattern(r"(?:^|\s)#\s*meshcheck:\s*(ignore|ignore-file)\s*\[([^\]]*)\]:?\s*(.*?)\s*$")


def suppressions(
    documents: Iterable[Document],
    texts: Iterable[tuple[str, int, str]],
    excused: Iterable[Excused],
    locate: Callable[..., Span | None],
) -> tuple[Suppression, ...]:
    """All marks. `texts`: (file, first line, text) of each document."""
    return (*_annotations(documents, locate), *_comments(texts), *(_setting(item) for item in excused))


def apply(
    findings: Iterable[Finding], marks: Sequence[Suppression], ran: Sequence[Rule], require_reason: bool
) -> tuple[tuple[Finding, ...], tuple[Applied, ...]]:
    """Findings with those that a mark covers flagged, and what became of each mark."""
    honoured = [mark for mark in marks if mark.reason or not require_reason]
    used: set[int] = set()
    out = []
    for finding in findings:
        by = next((mark for mark in honoured if _covered(mark, finding) and mark.covers(finding)), None)
        if by is not None:
            used.add(id(by))
            finding = replace(finding, suppressed=True, suppressed_by=f"{by.kind}{f': {by.reason}' if by.reason else ''}")
        out.append(finding)
    return tuple(out), tuple(Applied(mark, id(mark) in used, mark in honoured and _all_ran(mark, ran)) for mark in marks)


def _covered(mark: Suppression, finding: Finding) -> bool:
    return any(finding.code.startswith(code) or finding.name == code for code in mark.codes)


def _all_ran(mark: Suppression, ran: Sequence[Rule]) -> bool:
    return all(any(means(code, rule) for rule in ran) for code in mark.codes)


def _codes(text: str) -> tuple[str, ...]:
    words = (word.strip() for word in text.split(","))
    return tuple(word.upper().replace("-", "") if word[:2].upper() == "MC" else word for word in words if word)


def _annotations(documents: Iterable[Document], locate: Callable[..., Span | None]) -> Iterator[Suppression]:
    for document in documents:
        meta = document.value.get("metadata")
        notes = meta.get("annotations") if isinstance(meta, dict) else None
        text = notes.get(ANNOTATION) if isinstance(notes, dict) else None
        if not isinstance(text, str):
            continue
        ref = reference(document.value)
        span = locate(document.origin, ("metadata", "annotations", ANNOTATION))
        for entry in re.split(r"[;\n]", text):
            codes, _, reason = entry.partition(":")
            if codes.strip():
                yield Suppression(_codes(codes), reason.strip(), "annotation", span and span.start, ref, _about(ref))


def _about(ref: ObjectRef) -> Callable[[Finding], bool]:
    return lambda finding: finding.object == ref


def _comments(texts: Iterable[tuple[str, int, str]]) -> Iterator[Suppression]:
    for file, first, text in texts:
        if "meshcheck:" not in text:
            continue
        lines = text.split("\n")
        for number, line in enumerate(lines):
            if "meshcheck:" not in line or not (found := _COMMENT.search(line)):
                continue
            place = Place(file, first + number, found.start() + 1)
            own_line = not line[: found.start()].strip()
            target = first + (_next_line(lines, number) if own_line else number)
            covers = _in_file(file) if found[1] == "ignore-file" else _on_line(file, target)
            yield Suppression(_codes(found[2]), found[3], "comment", place, None, covers)


def _next_line(lines: Sequence[str], number: int) -> int:
    """The line that a comment on a line of its own is about: the next one that is no comment."""
    for at in range(number + 1, len(lines)):
        if lines[at].strip() and not lines[at].lstrip().startswith("#"):
            return at
    return number


def _on_line(file: str, line: int) -> Callable[[Finding], bool]:
    return lambda finding: finding.place is not None and (finding.place.file, finding.place.line) == (file, line)


def _in_file(file: str) -> Callable[[Finding], bool]:
    return lambda finding: finding.place is not None and finding.place.file == file


def _setting(item: Excused) -> Suppression:
    codes = _codes(", ".join(item.codes))

    def covers(finding: Finding) -> bool:
        if item.object and not (finding.object and fnmatchcase(str(finding.object), item.object)):
            return False
        return not item.path or (finding.place is not None and fnmatchcase(finding.place.file, item.path))

    return Suppression(codes, item.reason, "settings", None, None, covers)
