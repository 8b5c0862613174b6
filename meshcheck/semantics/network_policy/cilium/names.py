"""Patterns of DNS names.

Source: cilium/cilium:pkg/fqdn/matchpattern/matchpattern.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from meshcheck.model.cilium import NamePeer

_CHARACTER = "[-a-zA-Z0-9_]"


def matches(peer: NamePeer, name: str) -> bool:
    """Whether a `matchName` or `matchPattern` means a name."""
    asked = name.lower().rstrip(".") + "."
    if peer.name:
        return peer.name.lower().rstrip(".") + "." == asked
    return _pattern(peer.pattern.strip().lower()).fullmatch(asked) is not None


@lru_cache(maxsize=1024)
def _pattern(text: str) -> re.Pattern[str]:
    """`*` stands for any characters of one label, `**.` at the beginning for one label or more; stars alone for every name."""
    if re.fullmatch(r"\*+\.?", text):
        return re.compile(rf"({_CHARACTER}+[.])+|[.]")
    text = text.rstrip(".") + "."
    start = ""
    if found := re.match(r"\*{2,}\.", text):
        start, text = rf"({_CHARACTER}+([.]{_CHARACTER}+)*)[.]", text[found.end() :]
    parts = (re.escape(part) for part in re.split(r"\*+", text))
    return re.compile(start + f"{_CHARACTER}*".join(parts))


def all_match(rules: Iterable[NamePeer], names: tuple[str, ...]) -> bool | None:
    """Whether a look-up gets its answer; None where names are refused before the one that has it: resolvers differ in going on then."""
    wanted = tuple(rules)
    outcomes = [any(matches(rule, name) for rule in wanted) for name in names]
    if not outcomes or not outcomes[-1]:
        return False if outcomes else None
    return True if all(outcomes) else None
