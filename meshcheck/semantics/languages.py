"""Sets of texts, as regular expressions that are taken apart letter by letter (Brzozowski's derivatives).

Intersection and complement come for free, so a conjunction of matchers that hold and matchers that do not is one expression, and a
shortest text in it is found by a search. Letters are ASCII; the line feed stands between the lines of a repeated header.

Source: Owens, Reppy, Turon: Regular-expression derivatives re-examined (2009).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Any


class Language:
    """A node. Made by the functions below only, which keep nodes simple, and make each of them once."""

    __slots__ = ("args", "kind")

    def __init__(self, kind: str, args: tuple[Any, ...]) -> None:
        self.kind, self.args = kind, args


_made: dict[tuple[Any, ...], Language] = {}


def _node(kind: str, *args: Any) -> Language:
    key = (kind, *args)
    found = _made.get(key)
    if found is None:
        found = _made[key] = Language(kind, args)
    return found


LETTERS = (1 << 128) - 1
BREAK = "\n"
PRINTABLE = sum(1 << n for n in range(0x20, 0x7F))
_PREFERRED = "xyzabcdefghijklmnopqrstuvwABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-._~:,;=+@!$&'()* %?#\"<>[\\]^`{|}\n"
_ORDER = [*_PREFERRED, *(chr(n) for n in range(128) if chr(n) not in _PREFERRED)]
_MOST_STATES = 20_000
_MOST_STEPS = 2_000_000
"""Nodes that one search may look at: a second or two."""


class NotRegularError(Exception):
    """A set that this module cannot describe, or a search that grows too large; the text says why."""


NOTHING = _node("letters", 0)
EMPTY = _node("empty")
ALL = _node("star", _node("letters", LETTERS))


def letters(mask: int) -> Language:
    """One letter of a set (bit n: the letter with number n)."""
    return _node("letters", mask & LETTERS)


def one_of(text: str) -> Language:
    """One of these letters."""
    return letters(sum(1 << ord(c) for c in set(text)))


def text(value: str, fold: bool = False) -> Language:
    """Exactly this text."""
    if not value.isascii():
        raise NotRegularError(f"`{value}` is not ASCII")
    return _node("text", value.lower() if fold else value, fold) if value else EMPTY


def seq(*parts: Language) -> Language:
    """One after the other."""
    out = EMPTY
    for part in reversed(parts):
        if part is NOTHING or out is NOTHING:
            return NOTHING
        if out is EMPTY:
            out = part  # in its normal form already: to take it apart again would double the work with each letter
        elif part.kind == "seq":
            out = seq(*_flat(part), out)
        elif part is not EMPTY:
            out = _node("seq", part, out)
    return out


def _flat(node: Language) -> list[Language]:
    """The parts of a sequence, which holds them one in the other: the first, and the rest."""
    out = []
    while node.kind == "seq":
        out.append(node.args[0])
        node = node.args[1]
    return [*out, node]


@cache
def size(node: Language) -> int:
    """How many parts a set is written with."""
    if node.kind == "seq":
        return sum(map(size, _flat(node)))
    if node.kind in ("or", "and"):
        return sum(map(size, node.args[0]))
    return 1 + size(node.args[-1]) if node.kind in ("not", "joined", "lines") or (node.kind == "star" and node is not ALL) else 1


def star(inner: Language) -> Language:
    """Any number of times."""
    if inner in (NOTHING, EMPTY):
        return EMPTY
    return inner if inner.kind == "star" else _node("star", inner)


def any_of(parts: Iterable[Language]) -> Language:
    """Union."""
    flat: set[Language] = set()
    mask = 0
    for part in parts:
        for one in part.args[0] if part.kind == "or" else (part,):
            if one is ALL:
                return ALL
            if one.kind == "letters":
                mask |= one.args[0]
            else:
                flat.add(one)
    if mask:
        flat.add(letters(mask))
    if not flat:
        return NOTHING
    return next(iter(flat)) if len(flat) == 1 else _node("or", frozenset(flat))


def all_of(parts: Iterable[Language]) -> Language:
    """Intersection."""
    flat: set[Language] = set()
    for part in parts:
        for one in part.args[0] if part.kind == "and" else (part,):
            if one is NOTHING:
                return NOTHING
            if one is not ALL:
                flat.add(one)
    if not flat:
        return ALL
    return next(iter(flat)) if len(flat) == 1 else _node("and", frozenset(flat))


def no(inner: Language) -> Language:
    """Complement."""
    if inner.kind == "not":
        kept: Language = inner.args[0]
        return kept
    return ALL if inner is NOTHING else NOTHING if inner is ALL else _node("not", inner)


def any_line(inner: Language) -> Language:
    """Texts of lines of which one fits."""
    return _node("lines", inner, inner)


def joined(inner: Language) -> Language:
    """Texts of lines that fit when they are joined with commas."""
    return NOTHING if inner is NOTHING else ALL if inner is ALL else _node("joined", inner)


@cache
def accepts_empty(node: Language) -> bool:
    """Whether the empty text is in the set."""
    kind, args = node.kind, node.args
    if kind in ("empty", "star"):
        return True
    if kind in ("letters", "text"):
        return False
    if kind == "seq":
        return accepts_empty(args[0]) and accepts_empty(args[1])
    if kind == "or":
        return any(map(accepts_empty, args[0]))
    if kind == "and":
        return all(map(accepts_empty, args[0]))
    if kind == "lines":
        return accepts_empty(args[1])
    return accepts_empty(args[0]) if kind == "joined" else not accepts_empty(args[0])


@lru_cache(maxsize=1 << 18)
def after(node: Language, letter: str) -> Language:
    """What may follow when a text begins with a letter."""
    kind, args = node.kind, node.args
    if kind == "empty":
        return NOTHING
    if kind == "letters":
        return EMPTY if args[0] >> ord(letter) & 1 else NOTHING
    if kind == "text":
        value, fold = args
        if value[0] != (letter.lower() if fold else letter):
            return NOTHING
        return _node("text", value[1:], fold) if len(value) > 1 else EMPTY
    if kind == "seq":
        first = seq(after(args[0], letter), args[1])
        return any_of((first, after(args[1], letter))) if accepts_empty(args[0]) else first
    if kind == "star":
        return node if node is ALL else seq(after(args[0], letter), node)
    if kind == "or":
        return any_of([after(part, letter) for part in args[0]])
    if kind == "and":
        return all_of([after(part, letter) for part in args[0]])
    if kind == "lines":
        if letter == BREAK:
            return ALL if accepts_empty(args[1]) else any_line(args[0])
        return _node("lines", args[0], after(args[1], letter))
    if kind == "joined":
        return joined(after(args[0], "," if letter == BREAK else letter))
    return no(after(args[0], letter))


@cache
def _masks(node: Language) -> frozenset[int]:
    """Sets of letters that the node tells apart at its beginning."""
    kind, args = node.kind, node.args
    if kind == "letters":
        return frozenset([args[0]])
    if kind == "text":
        first, fold = args[0][0], args[1]
        return frozenset([1 << ord(first) | (1 << ord(first.upper()) if fold else 0)])
    if kind == "seq":
        return _masks(args[0]) | _masks(args[1]) if accepts_empty(args[0]) else _masks(args[0])
    if kind in ("or", "and"):
        return frozenset(mask for part in args[0] for mask in _masks(part))
    if kind == "lines":
        return _masks(args[1]) | {1 << ord(BREAK)}
    if kind == "joined":
        return _masks(args[0]) | {1 << ord(BREAK), 1 << ord(",")}
    return _masks(args[0]) if kind in ("star", "not") else frozenset()


@cache
def _width(node: Language) -> int:
    """How many nodes are looked at to take one letter off."""
    kind, args = node.kind, node.args
    if kind == "seq":
        return _width(args[0]) + (_width(args[1]) if accepts_empty(args[0]) else 1)
    if kind in ("or", "and"):
        return 1 + sum(map(_width, args[0]))
    return 1 + _width(args[-1]) if kind in ("star", "not", "joined", "lines") and node is not ALL else 1


@lru_cache(maxsize=1 << 16)
def _examples(masks: frozenset[int]) -> tuple[str, ...]:
    """One letter for each set of letters that are told apart, in the order of preference."""
    apart = [LETTERS]
    for mask in masks:
        apart = [part for one in apart for part in (one & mask, one & ~mask) if part]
    first = (next(rank for rank, letter in enumerate(_ORDER) if part >> ord(letter) & 1) for part in apart)
    return tuple(_ORDER[rank] for rank in sorted(first))


def contains(node: Language, value: str) -> bool:
    """Whether a text is in the set."""
    if not value.isascii():
        return False
    try:
        for letter in value:
            node = after(node, letter)
            if node is NOTHING:
                return False
        return accepts_empty(node)
    except RecursionError:
        raise NotRegularError("the patterns are nested too deep to look through") from None


@lru_cache(maxsize=1 << 14)
def shortest(node: Language) -> str | None:
    """A shortest text of the set; None when it is empty. Raises NotRegularError where the search grows too large."""
    try:
        return _shortest(node)
    except RecursionError:
        raise NotRegularError("the patterns are nested too deep to look through") from None


def _shortest(node: Language) -> str | None:
    if accepts_empty(node):
        return ""
    seen, queue, steps = {node}, deque([(node, "")]), 0
    while queue:
        state, word = queue.popleft()
        letters_ = _examples(_masks(state))
        steps += _width(state) * len(letters_)
        if steps > _MOST_STEPS:
            raise NotRegularError("the patterns are too long to look through")
        for letter in letters_:
            following = after(state, letter)
            if following is NOTHING or following in seen:
                continue
            if accepts_empty(following):
                return word + letter
            if len(seen) > _MOST_STATES:
                raise NotRegularError("the patterns are too many to look through")
            seen.add(following)
            queue.append((following, word + letter))
    return None
