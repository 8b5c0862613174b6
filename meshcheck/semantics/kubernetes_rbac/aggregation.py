"""The rules that roles have in the end: a ClusterRole with an `aggregationRule` is the sum of others.

Source: kubernetes/kubernetes:pkg/controller/clusterroleaggregation/clusterroleaggregation_controller.go:syncClusterRole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from meshcheck.model.rbac import Role, Rule
from meshcheck.model.record import NamedTuple

RoleKey = tuple[str, str | None, str]


class GrantedRule(NamedTuple):
    """A rule of a role, and where it is written: `source.rules[number]`."""

    rule: Rule
    source: Role
    number: int


def rules_of(roles: Iterable[Role]) -> Mapping[RoleKey, tuple[GrantedRule, ...]]:
    """The rules of every role, in the API server's order."""
    found = {role.key: tuple(GrantedRule(rule, role, n) for n, rule in enumerate(role.rules)) for role in roles}
    cluster_roles = sorted((role for role in roles if role.key[0] == "ClusterRole"), key=lambda role: role.meta.name)
    sums = [
        (role, [other for other in cluster_roles if other is not role and _selects(role, other)])
        for role in cluster_roles
        if role.sums is not None
    ]
    # Sums of sums settle after as many rounds as they are deep; sums in a circle may never, and do not in a cluster either.
    for _ in range(len(sums) + 1):
        changed = False
        for role, parts in sums:
            # No rules at all: the controller applies an empty list, which leaves the rules of others as they are.
            total = _sum(parts, found) or found[role.key]
            changed = changed or total != found[role.key]
            found[role.key] = total
        if not changed:
            break
    return found


def _selects(role: Role, other: Role) -> bool:
    return any(selector.matches(other.meta.labels) for selector in role.sums or ())


def _sum(parts: Iterable[Role], found: Mapping[RoleKey, tuple[GrantedRule, ...]]) -> tuple[GrantedRule, ...]:
    """All rules of all parts, those that are there already left out."""
    total: dict[Rule, GrantedRule] = {}
    for part in parts:
        for granted in found[part.key]:
            total.setdefault(granted.rule, granted)
    return tuple(total.values())
