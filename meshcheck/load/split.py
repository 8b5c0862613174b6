"""One stream of text into its documents, as kubectl splits it: at each line that starts with `---`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from meshcheck.model.pattern import pattern

_BORDER = pattern(r"^---(?:[ \t]+(.*?))?[ \t]*(?:\r?\n|\Z)", re.MULTILINE)


def split(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield (offset, first line counted from 1, text) of each document, empty ones too.

    Something behind the dashes (`--- {a: 1}`) belongs to the document that follows.
    """
    start, line = 0, 1
    for border in _BORDER.finditer(text):
        yield start, line, text[start : border.start()]
        line += text.count("\n", start, border.start())
        rest = border[1]
        if rest and not rest.startswith("#"):
            start = border.start(1)
        else:
            start = border.end()
            line += text.count("\n", border.start(), border.end())
    yield start, line, text[start:]


def is_blank(text: str) -> bool:
    """Whether a document holds nothing but comments and white space."""
    return all(not line or line.lstrip()[:1] in ("", "#") for line in text.splitlines()) if "#" in text else not text.strip()
