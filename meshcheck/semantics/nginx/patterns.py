"""Regular expressions of PCRE as far as Python's mean the same, and server names with a star."""

from __future__ import annotations

import re
from functools import lru_cache

from meshcheck.model.pattern import pattern

_OTHERS = pattern(r"\\[zZGhHRKQEXCNpPuUlLx]|\[\[[:.=]|\(\?[|R0-9&+C(]|\(\*|\\g|\\k[{']")
"""What Python reads otherwise than PCRE, or not at all."""
_NESTED = pattern(r"[+*}][^()]*\)[+*{]")
_SHORT = 24


@lru_cache(maxsize=1024)
def compiled(pattern: str, caseless: bool) -> re.Pattern[str] | None:
    """A pattern for `search`; None when it is not known to mean the same in Python."""
    if _OTHERS.search(pattern) or len(pattern) > 2000:
        return None
    try:
        return re.compile(re.sub(r"\(\?<(?=[A-Za-z_])", "(?P<", pattern), re.ASCII | (re.IGNORECASE if caseless else 0))
    except (re.error, OverflowError, RecursionError):
        return None


def is_wrong(pattern: str) -> bool:
    """Whether a text is no regular expression, neither here nor for nginx."""
    if _OTHERS.search(pattern):
        return False
    try:
        re.compile(re.sub(r"\(\?<(?=[A-Za-z_])", "(?P<", pattern))
    except (re.error, OverflowError, RecursionError):
        return True
    return False


def search(pattern: str, text: str, caseless: bool = False) -> re.Match[str] | bool | None:
    """The match, None without one, and False where it cannot be told: then the answer has to be supposed."""
    made = compiled(pattern, caseless)
    if made is None or (len(text) > _SHORT and _NESTED.search(pattern)):  # repeated repetition may take for ever
        return False
    return made.search(text)
