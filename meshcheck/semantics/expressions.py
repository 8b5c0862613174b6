"""Regular expressions, which Envoy matches with RE2, in time that grows with the text only: as sets of texts (`languages`).

Python's own engine goes back and tries again, which with repetitions in repetitions takes for ever. It is asked where it cannot.
Source: google/re2:README.md (matching in linear time).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from meshcheck.model.pattern import pattern
from meshcheck.semantics import languages as sets
from meshcheck.semantics.languages import EMPTY, Language, NotRegularError

_REPETITION = pattern(r"[*+?}]")
_CLASS = pattern(r"\[:(\w+):\]")
_CLASSES = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "blank": r"\t ", "digit": "0-9", "graph": "!-~", "lower": "a-z", "print": " -~",
    "punct": r"!-/:-@\[-`{-~", "space": r"\t\n\v\f\r ", "upper": "A-Z", "word": "0-9A-Za-z_", "xdigit": "0-9A-Fa-f",
}  # fmt: skip
"""Names of sets of letters inside of brackets. Source: google/re2:doc/syntax.txt."""
_OF_RE2 = pattern(r"\[:\^|\\[pPQEzC]")
_SHORT = 16
"""Characters for which even the worst expression is tried out in no time."""


def fits(expression: str, text: str) -> bool:
    """Whether an expression matches the whole of a text; one that is none matches nothing."""
    if len(text) > _SHORT and _REPETITION.search(expression):
        try:
            if text.isascii():
                return sets.contains(parse(expression), text)
        except (NotRegularError, RecursionError):
            pass
    found = _compiled(expression)
    return found is not None and found.fullmatch(text) is not None


@lru_cache(maxsize=4096)
def _compiled(expression: str) -> re.Pattern[str] | None:
    try:
        return re.compile(_in_python(expression))
    except (re.error, RecursionError, OverflowError):
        return None


def _in_python(expression: str) -> str:
    """An expression with the sets of letters that only RE2 has a name for spelled out."""
    return _CLASS.sub(lambda found: _CLASSES.get(found[1], found[0]), expression) if "[:" in expression else expression


@lru_cache(maxsize=4096)
def parse(expression: str) -> Language:
    """A regular expression that must fit the whole text, as the trace engine reads it. Raises NotRegularError for what no set of this
    kind can say: looking around, references back, word boundaries, RE2's own words."""
    if _OF_RE2.search(expression):
        raise NotRegularError(f"`{expression}`, which is written in RE2's own words")
    from importlib import import_module

    parser: Any = import_module("re._parser")  # the engine's own reader: what it reads is what it matches

    try:
        parsed: Any = parser.parse(_in_python(expression))
    except Exception:  # an expression that cannot be read matches nothing
        return sets.NOTHING
    flags: int = parsed.state.flags
    return _sequence(list(parsed), bool(flags & 2), bool(flags & 16))


def _sequence(items: Sequence[Any], fold: bool, dots: bool) -> Language:
    out = []
    for n, (operation, argument) in enumerate(items):
        name = str(operation)
        if name == "AT":
            where = str(argument)
            first, last = n == 0, n == len(items) - 1
            if (where in ("AT_BEGINNING", "AT_BEGINNING_STRING") and first) or (where in ("AT_END", "AT_END_STRING") and last):
                continue
            raise NotRegularError(f"the anchor {where.lower()} inside of a regular expression")
        out.append(_item(name, argument, fold, dots))
    return sets.seq(*out)


def _item(name: str, argument: Any, fold: bool, dots: bool) -> Language:
    if name == "LITERAL":
        return sets.text(chr(argument), fold and chr(argument).isalpha())
    if name == "NOT_LITERAL":
        return sets.letters(sets.LETTERS & ~_folded(1 << argument if argument < 128 else 0, fold))
    if name == "ANY":
        return sets.letters(sets.LETTERS if dots else sets.LETTERS & ~(1 << 10))
    if name == "IN":
        return sets.letters(_class(argument, fold))
    if name == "BRANCH":
        return sets.any_of(_sequence(list(branch), fold, dots) for branch in argument[1])
    if name == "SUBPATTERN":
        _, added, removed, inner = argument
        fold = (fold or bool(added & 2)) and not removed & 2
        dots = (dots or bool(added & 16)) and not removed & 16
        return _nested(list(inner), fold, dots)
    if name in ("MAX_REPEAT", "MIN_REPEAT"):
        low, high, inner = argument
        return _repeated(_nested(list(inner), fold, dots), int(low), None if str(high) == "MAXREPEAT" else int(high))
    raise NotRegularError(f"a regular expression with {name.lower().replace('_', ' ')}")


def _nested(items: list[Any], fold: bool, dots: bool) -> Language:
    if any(str(operation) == "AT" for operation, _ in items):
        raise NotRegularError("an anchor inside of a regular expression")
    return _sequence(items, fold, dots)


_MOST_PARTS = 100_000
"""Parts of a regular expression with its counts written out."""


def _repeated(inner: Language, low: int, high: int | None) -> Language:
    if low > 200 or (high or 0) > 200 or sets.size(inner) * max(low, high or 0) > _MOST_PARTS:
        raise NotRegularError("a regular expression with large counts")
    out = sets.star(inner) if high is None else EMPTY
    if high is not None:
        for _ in range(high - low):
            out = sets.any_of((EMPTY, sets.seq(inner, out)))
    return sets.seq(*[inner] * low, out)


_CATEGORIES = {
    "CATEGORY_DIGIT": "0123456789",
    "CATEGORY_SPACE": " \t\n\r\f\v\x1c\x1d\x1e\x1f",
    "CATEGORY_WORD": "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_",
}


def _class(items: Sequence[Any], fold: bool) -> int:
    mask, negated = 0, False
    for operation, argument in items:
        name = str(operation)
        if name == "NEGATE":
            negated = True
        elif name == "LITERAL":
            mask |= 1 << argument if argument < 128 else 0
        elif name == "RANGE":
            mask |= sum(1 << n for n in range(argument[0], min(argument[1], 127) + 1))
        elif name == "CATEGORY":
            wanted = str(argument)
            found = sum(1 << ord(c) for c in _CATEGORIES[wanted.replace("_NOT_", "_")])
            mask |= sets.LETTERS & ~found if "_NOT_" in wanted else found
    mask = _folded(mask, fold)
    return sets.LETTERS & ~mask if negated else mask


def _folded(mask: int, fold: bool) -> int:
    if not fold:
        return mask
    return sum(1 << ord(c) for n in range(128) if mask >> n & 1 for c in {chr(n), chr(n).lower(), chr(n).upper()})
