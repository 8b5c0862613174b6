"""Patterns of the mesh as sets of texts (`languages`)."""

from __future__ import annotations

from functools import lru_cache

from meshcheck.semantics import languages as sets
from meshcheck.semantics.authorization.strings import template_expression
from meshcheck.semantics.expressions import parse
from meshcheck.semantics.languages import ALL, EMPTY, Language, NotRegularError
from meshcheck.semantics.watching import Pattern


@lru_cache(maxsize=1 << 14)
def language_of(patterns: tuple[Pattern, ...]) -> Language:
    """Texts that fit one of the patterns. Raises NotRegularError."""
    return sets.any_of(_one(pattern) for pattern in patterns)


def _one(pattern: Pattern) -> Language:
    kind, value, fold = pattern
    if kind == "any":
        return ALL
    if kind == "some":
        return sets.seq(sets.letters(sets.LETTERS), ALL)
    if kind == "regex":
        return parse(value)
    if kind == "template":
        return parse(template_expression(value))
    text = sets.text(value, fold)
    if kind == "exact":
        return text
    if kind == "prefix":
        return sets.seq(text, ALL)
    if kind == "suffix":
        return sets.seq(ALL, text)
    if kind == "contains":
        return sets.seq(ALL, text, ALL)
    if kind == "segments":
        return ALL if value == "/" else sets.any_of((text, sets.seq(text, sets.text("/"), ALL)))
    if kind == "host":
        return sets.seq(sets.text(value, True), sets.any_of((EMPTY, sets.seq(sets.text(":"), _DIGIT, sets.star(_DIGIT)))))
    raise NotRegularError(f"patterns of the kind {kind}")


_DIGIT = sets.one_of("0123456789")
