"""A set of requests in words: `method DELETE, path /api/*, without header x-team`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from meshcheck.analyse.looks import Block, Look
from meshcheck.analyse.regexes import language_of
from meshcheck.analyse.spaces import written
from meshcheck.model.question import Question
from meshcheck.semantics import languages as sets
from meshcheck.semantics.languages import ALL, NotRegularError
from meshcheck.semantics.watching import Pattern

_ORDER = ("principal", "method", "path", "authority", "query", "header", "token", "claim", "source")
_NAMES = {"authority": "host", "principal": "caller", "source": "client address"}
_MOST = 4


def description(facts: Iterable[tuple[Look, bool]], witness: Question) -> str:
    """What the facts say of a request; `any request` where they say nothing."""
    by_part: dict[str, list[tuple[Look, bool]]] = {}
    for look, outcome in facts:
        if look.part == "authority" and any(pattern.kind == "host" for pattern in look.patterns):
            continue  # the names of the target itself
        by_part.setdefault(look.part, []).append((look, outcome))
    out = []
    for part in sorted(by_part, key=lambda part: (_ORDER.index(part.partition(":")[0]), part)):
        if part == "token":
            present = by_part[part][0][1]
            if not present or not any(other.startswith("claim:") for other in by_part):
                out.append("with a token" if present else "without a token")
        elif said := _part(part, by_part[part], witness):
            out.append(said)
    return ", ".join(out) or "any request"


def _part(part: str, facts: list[tuple[Look, bool]], witness: Question) -> str:
    kind, _, name = part.partition(":")
    label = f"{kind} {name.replace('/', '.')}" if name else _NAMES.get(kind, kind)
    if kind in ("header", "query") and all(look.absent == outcome for look, outcome in facts) and _has(kind, name, witness) is False:
        whole = any(not outcome and look.language in (ALL, sets.any_line(ALL)) for look, outcome in facts)
        if whole:
            return f"without {label}"
    failed = [look for look, outcome in facts if not outcome]
    fits = [_without(look, failed) for look, outcome in facts if outcome]
    fails = [look for look in failed if _matters(look, fits)]
    yes = " and ".join(dict.fromkeys(filter(None, (_patterns(look) for look in fits))))
    no = ", ".join(dict.fromkeys(filter(None, (_patterns(look) for look in fails))))
    if yes and no:
        return f"{label} {yes} but not {no}"
    return f"{label} {yes}" if yes else f"{label} not {no}" if no else f"with {label}" if fits else ""


def _has(kind: str, name: str, witness: Question) -> bool | None:
    return name in witness.headers if kind == "header" else f"{name}=" in witness.path


def _without(look: Look, failed: list[Look]) -> Look:
    """A look that holds, without the patterns of which it is known that they do not: `GET or HEAD` beside `not GET` is `HEAD`."""
    gone = {pattern for other in failed if other.rewritten == look.rewritten for pattern in other.patterns}
    left = tuple(pattern for pattern in look.patterns if pattern not in gone)
    if not left or left == look.patterns:
        return look
    try:
        language = language_of(left)
    except NotRegularError:
        return look
    lines = look.part.partition(":")[0] == "header"
    return look._replace(patterns=left, language=sets.any_line(language) if lines else language)


def _matters(look: Look, fits: list[Look]) -> bool:
    """Whether a look that fails says anything beside those that hold."""
    if look.block is not None:
        return not any(other.block is not None and _apart(look.block, other.block) for other in fits)
    if look.language is None or not fits:
        return True
    fits = [other for other in fits if other.rewritten == look.rewritten]
    try:
        return sets.shortest(sets.all_of((look.language, *(other.language or ALL for other in fits)))) is not None
    except NotRegularError:
        return True


def _apart(one: Block, other: Block) -> bool:
    """Whether two blocks have no address in common."""
    shift = max(one[2], other[2])
    return one[0] != other[0] or (one[1] << one[2]) >> shift != (other[1] << other[2]) >> shift


def _patterns(look: Look) -> str:
    if look.block is not None:
        bits, number, shift = look.block
        return f"in {written(bits, number << shift)}/{bits - shift}" if shift else written(bits, number)
    shown = [_one(pattern) for pattern in look.patterns]
    more = f" or {len(shown) - _MOST} more" if len(shown) > _MOST + 1 else ""
    return _either(shown[: _MOST if more else None]) + more + (" (after the rewrite)" if look.rewritten else "")


def _either(shown: Sequence[str]) -> str:
    return ", ".join(shown[:-1]) + (" or " if len(shown) > 1 else "") + shown[-1] if shown else ""


def _one(pattern: Pattern) -> str:
    kind, text = pattern.kind, pattern.text
    if kind == "entries":
        return f"of {text} entries or more"
    forms = {
        "prefix": f"{text}*", "suffix": f"*{text}", "contains": f"*{text}*", "any": "*", "some": "*", "regex": f"~{text}",
        "segments": f"{text.rstrip('/')}/*",
    }  # fmt: skip
    return forms.get(kind, text if text else '""').replace("spiffe://", "")
