"""The values that parts of a request can have, and one that meets what was seen of it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from meshcheck.analyse.looks import FORWARDED, Block, Look
from meshcheck.model.question import Question
from meshcheck.model.record import replace
from meshcheck.semantics import http_methods
from meshcheck.semantics import languages as sets
from meshcheck.semantics.languages import ALL, EMPTY, Language

ABSENT = None
"""The value of a part that the request has not."""

Facts = frozenset[tuple[Look, bool]]
"""Looks at one part, and their outcomes."""

_LETTER = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DIGIT = "0123456789"
_METHOD = sets.any_of(tuple(sets.text(method) for method in sorted(http_methods.KNOWN)))
"""Those that Envoy reads: it answers 400 to others, whatever the rules say."""
_LOWER = sets.one_of("abcdefghijklmnopqrstuvwxyz" + _DIGIT)
_HOST = sets.one_of("abcdefghijklmnopqrstuvwxyz" + _DIGIT + "-.")
_AUTHORITY = sets.seq(_HOST, sets.star(_HOST), sets.any_of((EMPTY, sets.seq(sets.text(":"), *[sets.one_of(_DIGIT)] * 4))))
_NAME = sets.seq(_LOWER, sets.star(sets.any_of((_LOWER, sets.seq(sets.text("-"), _LOWER)))))
STRANGER = "somebody"
"""Namespace and account of a caller that may be anybody, where nothing wants it otherwise."""
_SEEN = sets.letters(sets.PRINTABLE & ~1 << 32 & ~(1 << 32))
_LINE = sets.any_of((EMPTY, _SEEN, sets.seq(_SEEN, sets.star(sets.letters(sets.PRINTABLE)), _SEEN)))
_LINES = sets.seq(_LINE, sets.star(sets.seq(sets.text(sets.BREAK), _LINE)))
_TEXT = sets.star(sets.letters(sets.PRINTABLE))
_TEXTS = sets.seq(_TEXT, sets.star(sets.seq(sets.text(sets.BREAK), _TEXT)))
_SINGLE = ("origin", "access-control-request-method", "content-type", "authorization", "x-forwarded-proto", "host")
"""Headers that stand once in a request."""
_ONE_TEXT = ("claim:iss", "claim:sub")
_METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS")
_SOURCES = ((32, 0xC6336407), (32, 0xCB007107), (32, 0x08080808), (128, 0x20010DB8 << 96 | 7))
"""198.51.100.7, 203.0.113.7, 8.8.8.8, 2001:db8::7."""
_FORWARDERS = ((32, 0xCB007109), (32, 0xC6336409), (32, 0x01010101), (128, 0x20010DB8 << 96 | 9))


def paths(level: str) -> Language:
    """Paths as they are after normalisation (`level` as in mesh config): those that stand for all others."""
    return _paths(level)


@lru_cache(maxsize=8)
def _paths(level: str) -> Language:
    plain = sets.PRINTABLE & ~sum(1 << ord(c) for c in " #?")
    slash = sets.text("/")
    if level == "NONE":
        return sets.seq(slash, sets.star(sets.letters(plain)))
    digits = "0123456789ABCDEFabcdef"
    kept = _LETTER + _DIGIT + "-._~\0"
    kept += "/\\" if level == "DECODE_AND_MERGE_SLASHES" else ""
    escapes = [f"%{a}{b}" for a in digits for b in digits if chr(int(a + b, 16)) not in kept]
    letter = sets.letters(plain & ~sum(1 << ord(c) for c in "%\\/"))
    segment = sets.all_of((sets.star(sets.any_of((letter, *map(sets.text, escapes)))), sets.no(sets.text(".")), sets.no(sets.text(".."))))
    whole = sets.seq(slash, segment, sets.star(sets.seq(slash, segment)))
    return whole if level == "BASE" else sets.all_of((whole, sets.no(sets.seq(ALL, sets.text("//"), ALL))))


class Space:
    """All requests of a question's caller and target. `authority` is the Host that the question's client sends by itself."""

    def __init__(self, base: Question, authority: str, level: str, any_source: bool, anybody: str | None = None) -> None:
        self.base, self.authority, self.level, self.any_source = base, authority, level, any_source
        self._anybody = anybody
        """The trust domain, where the caller may have any identity in it."""

    def principal_of(self, question: Question) -> str | None:
        """The identity that a caller who may be anybody has in a question."""
        return f"spiffe://{self._anybody}/ns/{question.caller.namespace}/sa/{question.caller.service_account}" if self._anybody else None

    def question(self, facts: Iterable[tuple[Look, bool]]) -> Question | None:
        """A request that meets all facts; None where there is none. Raises NotRegularError where that cannot be found out."""
        by_part: dict[str, set[tuple[Look, bool]]] = {}
        for look, outcome in facts:
            by_part.setdefault(look.part, set()).add((look, outcome))
        values: dict[str, Any] = {}
        for part, wanted in by_part.items():
            found = self._value(part, frozenset(wanted))
            if found is _IMPOSSIBLE:
                return None
            values[part] = found
        if self.any_source and "source" not in values:
            values["source"] = _address("source", frozenset())
        return _built(self.base, self.authority, values)

    def _value(self, part: str, facts: Facts) -> Any:
        if part == "token":
            return _token(facts)
        if part in ("source", FORWARDED):
            return _address(part, facts)
        if part == "authority" and all(sets.contains(look.language or ALL, self.authority) == outcome for look, outcome in facts):
            return ABSENT
        if part == "principal":
            return _text(part, facts, self._anybody or "")
        return _text(part, facts, self.level)


_IMPOSSIBLE = object()


def _token(facts: Facts) -> Any:
    return next(iter(facts))[1] if len({outcome for _, outcome in facts}) == 1 else _IMPOSSIBLE


@lru_cache(maxsize=1 << 16)
def _text(part: str, facts: Facts, level: str) -> Any:
    kind, _, name = part.partition(":")
    optional = kind in ("header", "query", "claim")
    if optional and all(look.absent == outcome for look, outcome in facts):
        return ABSENT
    if optional and _domain(part, name, level) in (_LINES, _TEXTS) and all((look.language or ALL).kind == "lines" for look, _ in facts):
        return _lines(facts, _LINE if kind == "header" else _TEXT)
    languages = [look.language or ALL if outcome else sets.no(look.language or ALL) for look, outcome in facts]
    wanted = sets.all_of((_domain(part, name, level), *languages))
    if kind == "principal":
        usual_one = f"spiffe://{level}/ns/{STRANGER}/sa/{STRANGER}"
        if sets.contains(wanted, usual_one):
            return usual_one
    for usual in {"method": _METHODS, "path": ("/", "/x"), "claim": ("x",), "header": ("x",)}.get(kind, ()):
        if sets.contains(wanted, usual):
            return usual
    found = sets.shortest(wanted)
    return _IMPOSSIBLE if found is None else found


def _lines(facts: Facts, line: Language) -> Any:
    """Lines of which each fits something that must fit, and none anything that must not: found one by one, they are all that is needed."""
    refused = [sets.no(look.language.args[0]) for look, outcome in facts if not outcome and look.language is not None]
    wanted = sorted((look for look, outcome in facts if outcome and look.language is not None), key=lambda look: str(look.patterns))
    found: list[str] = []
    for language in [look.language.args[0] for look in wanted if look.language is not None] or [ALL]:
        if any(sets.contains(language, text) for text in found):
            continue
        allowed = sets.all_of((line, language, *refused))
        text = "x" if sets.contains(allowed, "x") else sets.shortest(allowed)
        if text is None:
            return _IMPOSSIBLE
        found.append(text)
    return sets.BREAK.join(found)


def _domain(part: str, name: str, level: str) -> Language:
    if part == "method":
        return _METHOD
    if part == "path":
        return paths(level)
    if part == "authority":
        return _AUTHORITY
    if part == "principal":
        return sets.seq(sets.text(f"spiffe://{level}/ns/"), _NAME, sets.text("/sa/"), _NAME)
    if part.startswith("header:"):
        return _LINE if name in _SINGLE else _LINES
    return _TEXT if part.startswith("query:") or part in _ONE_TEXT else _TEXTS


@lru_cache(maxsize=1 << 14)
def _address(part: str, facts: Facts) -> Any:
    """An address that lies in the wanted blocks only: blocks do not overlap but lie in each other, so their borders are enough."""
    blocks = [(look.block, outcome) for look, outcome in facts if look.block is not None]
    entries = 0
    if part == FORWARDED:
        counts = [(int(look.patterns[0].text or 1), outcome) for look, outcome in facts if look.block is None]
        entries = max([count for count, outcome in counts if outcome], default=1 if any(outcome for _, outcome in blocks) else 0)
        if any(count <= entries and not outcome for count, outcome in counts):
            return _IMPOSSIBLE
        if entries == 0:
            return ABSENT
    usual = _FORWARDERS if part == FORWARDED else _SOURCES
    for bits, number in (*usual, *(border for block, _ in blocks if block is not None for border in _borders(block))):
        if all(_inside(block, bits, number) == outcome for block, outcome in blocks if block is not None):
            return ", ".join([written(bits, number), *["192.0.2.1"] * (entries - 1)])
    return _IMPOSSIBLE


def _borders(block: Block) -> Iterable[tuple[int, int]]:
    bits, number, shift = block
    first, last = number << shift, ((number + 1) << shift) - 1
    return [(bits, n) for n in (first + 7, first, last, first - 1, last + 1) if 0 <= n < 1 << bits]


def _inside(block: Block, bits: int, number: int) -> bool:
    return block[0] == bits and block[1] == number >> block[2]


def written(bits: int, number: int) -> str:
    """An address as text."""
    if bits == 32:
        return ".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0))
    from ipaddress import IPv6Address

    return str(IPv6Address(number))


def _built(base: Question, authority: str, values: dict[str, Any]) -> Question | None:
    headers = dict(base.headers)
    parameters, claims = [], {}
    for part, found in values.items():
        kind, _, name = part.partition(":")
        if found is ABSENT:
            continue
        if kind == "header":
            headers[name] = tuple(found.split(sets.BREAK))
        elif kind == "query":
            from urllib.parse import quote

            parameters.append(f"{quote(name, safe='')}={quote(found, safe='')}")
        elif kind == "claim":
            claims[name] = found.split(sets.BREAK) if sets.BREAK in found or name == "scope" else found
    caller = base.caller
    if values.get("principal"):
        _, _, namespace, _, account = values["principal"].removeprefix("spiffe://").split("/")
        caller = replace(caller, namespace=namespace, service_account=account)
    token = values.get("token", bool(claims)) or base.claims is not None
    payload = _nested(claims) if token else None
    if token and payload is None:
        return None
    path = values.get("path") or base.path
    return replace(
        base,
        caller=caller,
        method=values.get("method") or base.method,
        path=f"{path}?{'&'.join(parameters)}" if parameters else path,
        host=values.get("authority") or base.host,
        headers=headers,
        claims=payload if token else None,
        source_ip=values.get("source") or base.source_ip,
    )


def _nested(claims: dict[str, Any]) -> dict[str, Any] | None:
    """Claims by their keys; None where one would have to be a text and hold others."""
    out: dict[str, Any] = {}
    for name, found in claims.items():
        *above, last = name.split("/")
        inner = out
        for key in above:
            inner = inner.setdefault(key, {})
            if not isinstance(inner, dict):
                return None
        if last in inner:
            return None
        inner[last] = found
    return out
