"""The values of fields of AuthorizationPolicies, with the path of each."""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.model.istio_security import AuthorizationPolicy, Field, Rule
from meshcheck.model.objects import Path

Value = tuple[AuthorizationPolicy, Path, str]


def operation_values(evidence: Evidence, name: str) -> Iterator[Value]:
    """(policy, path of the value, value) of a field of `to.operation` and of its not-twin."""
    return texts_of(evidence, name)


def source_values(evidence: Evidence, *names: str) -> Iterator[Value]:
    """(policy, path of the value, value) of fields of `from.source` and of their not-twins."""
    return texts_of(evidence, *names)


def condition_values(evidence: Evidence, *names: str) -> Iterator[Value]:
    """(policy, path of the value, value) of `when` with one of some keys; of all keys when none is named."""
    keys = {field.name for policy in evidence.of("AuthorizationPolicy") for rule in policy.rules for field in rule.conditions}
    return texts_of(evidence, *(names or sorted(keys)))


def texts_of(evidence: Evidence, *names: str) -> Iterator[Value]:
    """(policy, path of the value, value) of fields and conditions by name."""
    for policy, _, field in fields_of(evidence, *names):
        yield from ((policy, path, value) for path, value in values_of(field))


def fields_of(evidence: Evidence, *names: str) -> Iterator[tuple[AuthorizationPolicy, Rule, Field]]:
    """(policy, rule, field) of fields and their not-twins by name, and of conditions by key, wherever they stand in a rule."""
    table = evidence.once("fields by name", lambda: _by_name(evidence))
    for name in names:
        yield from table.get(name, ())


def values_of(field: Field) -> Iterator[tuple[Path, str]]:
    """(path, value) of each value of a field."""
    for number, value in enumerate(field.values):
        yield (*field.path, number), value


def _by_name(evidence: Evidence) -> dict[str, list[tuple[AuthorizationPolicy, Rule, Field]]]:
    """Names of fields and keys of conditions differ, so one table holds both."""
    out: dict[str, list[tuple[AuthorizationPolicy, Rule, Field]]] = {}
    for policy in evidence.of("AuthorizationPolicy"):
        for rule in policy.rules:
            for group in (*rule.sources, *rule.operations, rule.conditions):
                for field in group:
                    out.setdefault(field.name, []).append((policy, rule, field))
    return out
