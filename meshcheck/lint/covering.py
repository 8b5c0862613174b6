"""Whether one rule matches every request that another one matches.

The answer is proved on the compiled tests that also decide requests, field by field: True is certain, False means not proved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product

from meshcheck.lint.containing import Known, value_within
from meshcheck.lint.fields import values_of
from meshcheck.model.objects import Path
from meshcheck.model.record import replace
from meshcheck.semantics.authorization.policies import CompiledRule
from meshcheck.semantics.authorization.tests import Test

Atom = tuple[Known, ...]
"""What is known of the requests of one alternative of a rule: positive fields have one value each."""
_MOST = 256
"""Alternatives of a rule that are looked at one by one; a rule with more is not proved to be covered."""


def covered_by(rule: CompiledRule, others: Iterable[CompiledRule], trust_domains: tuple[str, ...]) -> tuple[CompiledRule, ...] | None:
    """Rules that together match every request that a rule matches; None where that is not proved."""
    if rule.impossible:
        return None
    candidates = [other for other in others if not other.impossible]
    if not candidates:
        return None
    used: dict[str, CompiledRule] = {}
    for number, atom in enumerate(_atoms(rule)):
        found = next((other for other in candidates if _covers(other, atom, trust_domains)), None) if number < _MOST else None
        if found is None:
            return None
        used.setdefault(found.name, found)
    return tuple(used.values())


def covered_values(rule: CompiledRule, others: Iterable[CompiledRule], trust_domains: tuple[str, ...]) -> dict[Path, CompiledRule]:
    """The values of fields with several, by their places, all of whose requests other rules match; and one of these rules."""
    candidates = [other for other in others if not other.impossible]
    if rule.impossible or not candidates:
        return {}
    dead: dict[Path, CompiledRule] = {}
    alive: set[Path] = set()
    for number, atom in enumerate(_atoms(rule)):
        if number == _MOST:
            return {}
        found = next((other for other in candidates if _covers(other, atom, trust_domains)), None)
        for known in atom:
            if found is None:
                alive.add(known.path)
            elif known.path:
                dead.setdefault(known.path, found)
    return {path: other for path, other in dead.items() if path not in alive}


def _covers(rule: CompiledRule, atom: Atom, trust_domains: tuple[str, ...]) -> bool:
    """Whether a rule matches all requests of an alternative."""
    for groups in (rule.sources, rule.operations):
        if groups and not any(all(_implied(test, atom, trust_domains) for test in tests) for tests in groups):
            return False
    return all(_implied(test, atom, trust_domains) for test in rule.conditions)


def _atoms(rule: CompiledRule) -> Iterator[Atom]:
    for source, operation in product(rule.sources or ((),), rule.operations or ((),)):
        yield from product(*(tuple(_single(test)) for test in (*source, *operation, *rule.conditions)))


def _single(test: Test) -> Iterator[Known]:
    """A positive field as one for each of its values; a negated one as it is."""
    if test.field.negated or len(test.field.values) == 1:
        yield Known(test.attribute, test.field)
    else:
        for path, value in values_of(test.field):
            yield Known(test.attribute, replace(test.field, values=(value,)), path)


def _implied(test: Test, atom: Atom, trust_domains: tuple[str, ...]) -> bool:
    """Whether a test holds for all requests of an alternative."""
    if test.attribute in _ALWAYS_THERE and not test.field.negated and "*" in test.field.values:
        return True
    same = [known for known in atom if known.attribute == test.attribute]
    if not test.field.negated:
        return any(not known.field.negated and _any_within(known, test, trust_domains) for known in same)
    for known in same:
        if known.field.negated:
            if known.field.name == test.field.name and set(test.field.values) <= set(known.field.values):
                return True
        elif _excludes(known, test, trust_domains):
            return True
    return False


_ALWAYS_THERE = ("method", "path", "authority")
"""What every HTTP request has. (On a TCP port a DENY rule loses such a condition, and an ALLOW rule with one never matches.)"""
_SINGLE_VALUED = frozenset(["method", "path", "authority", "destination_port"])


def _any_within(known: Known, test: Test, trust_domains: tuple[str, ...]) -> bool:
    return any(value_within(known, test, n, trust_domains) for n in range(len(test.field.values)))


def _excludes(known: Known, negated: Test, trust_domains: tuple[str, ...]) -> bool:
    """Whether the one exact value of an attribute is none of those that a negated test names."""
    value = known.field.values[0]
    if known.attribute not in _SINGLE_VALUED or "*" in value or "{" in value:
        return False
    return not _any_within(known, negated, trust_domains)
