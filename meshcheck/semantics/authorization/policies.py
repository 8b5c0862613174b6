"""AuthorizationPolicies compiled for a filter chain: HTTP or TCP.

Sources: istio/istio:pilot/pkg/security/authz/builder/builder.go:build, model/model.go:New,Generate.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from meshcheck.model.istio_security import AuthorizationPolicy, Field, Rule
from meshcheck.model.mesh_config import MeshConfig
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.authorization.attributes import Attributes
from meshcheck.semantics.authorization.tests import Test, compile_test

if TYPE_CHECKING:
    from meshcheck.semantics.authorization.ages import Age

Tests = tuple[Test, ...]


class CompiledRule(NamedTuple):
    """One rule as a chain applies it. An empty `sources` or `operations` asks for nothing."""

    policy: AuthorizationPolicy
    rule: Rule
    name: str
    """Envoy's name for it: `ns[NS]-policy[NAME]-rule[I]`, with the provider for CUSTOM."""
    sources: tuple[Tests, ...]
    operations: tuple[Tests, ...]
    conditions: Tests
    dropped: tuple[Test, ...]
    """HTTP conditions that a TCP chain cannot check: they vanish from a DENY, and take an ALLOW rule with them."""
    impossible: bool
    """It never matches: an ALLOW rule with HTTP conditions on a TCP chain, a rule of which ztunnel is told nothing."""
    unread: str = "on a TCP port"
    """Where the `dropped` conditions cannot be checked, in words."""

    def holds(self, attributes: Attributes) -> bool | None:
        """Whether a call matches; None when that hangs on an unknown attribute."""
        if self.impossible:
            return False
        result: bool | None = True
        for group in (self.sources, self.operations):
            if group:
                one = _any(group, attributes)
                if one is False:
                    return False
                result = result and one
        every = _all(self.conditions, attributes)
        return False if every is False else every and result


def _all(tests: Tests, attributes: Attributes) -> bool | None:
    result: bool | None = True
    for test in tests:
        one = test.holds(attributes)
        if one is False:
            return False
        if one is None:
            result = None
    return result


def _any(groups: tuple[Tests, ...], attributes: Attributes) -> bool | None:
    result: bool | None = False
    for tests in groups:
        one = _all(tests, attributes)
        if one:
            return True
        if one is None:
            result = None
    return result


class CompiledPolicies(NamedTuple):
    """All policies that apply to one workload, compiled for one kind of chain; rules sorted by Envoy's order of names."""

    custom: tuple[CompiledRule, ...]
    audit: tuple[CompiledRule, ...]
    deny: tuple[CompiledRule, ...]
    allow: tuple[CompiledRule, ...]
    allow_policies: tuple[AuthorizationPolicy, ...]
    """Enforced ALLOW policies: when there is one, what no rule allows is denied."""
    dry_run: tuple[CompiledRule, ...]
    attached: tuple[AuthorizationPolicy, ...]


def compile_policies(attached: Iterable[AuthorizationPolicy], mesh: MeshConfig, http: bool, age: Age | None = None) -> CompiledPolicies:
    """Compile the policies that apply to one workload. `age`: the versions of what reads them, where one of them is old."""
    policies = tuple(attached)
    rules: dict[str, list[CompiledRule]] = {"CUSTOM": [], "AUDIT": [], "DENY": [], "ALLOW": [], "dry-run": []}
    for policy in policies:
        bucket = rules["dry-run" if policy.dry_run else policy.action]
        bucket += [compiled for rule in policy.rules if (compiled := _compile(policy, rule, mesh, http, age)) is not None]
    ordered = {action: tuple(sorted(found, key=lambda rule: rule.name)) for action, found in rules.items()}
    return CompiledPolicies(
        custom=ordered["CUSTOM"],
        audit=ordered["AUDIT"],
        deny=ordered["DENY"],
        allow=ordered["ALLOW"],
        allow_policies=tuple(p for p in policies if p.action == "ALLOW" and not p.dry_run),
        dry_run=ordered["dry-run"],
        attached=policies,
    )


def rule_name(policy: AuthorizationPolicy, index: int) -> str:
    """Envoy's name for a rule, as access logs show it."""
    name = f"ns[{policy.meta.namespace}]-policy[{policy.meta.name}]-rule[{index}]"
    return f"istio-ext-authz-{policy.provider}-{name}" if policy.action == "CUSTOM" else name


def _compile(policy: AuthorizationPolicy, rule: Rule, mesh: MeshConfig, http: bool, age: Age | None) -> CompiledRule | None:
    namespace = policy.meta.namespace
    dropped: list[Test] = []

    def tests(fields: tuple[Field, ...]) -> Tests | None:
        out = []
        for field in fields:
            test = compile_test(field, mesh, namespace)
            if test is None:
                return None
            if age is not None:
                test = age.aged(test, field)
            if test.http_only and not http:
                dropped.append(test)
            else:
                out.append(test)
        return tuple(out)

    sources = [tests(fields) for fields in rule.sources]
    operations = [tests(fields) for fields in rule.operations]
    conditions = tests(rule.conditions)
    if conditions is None or None in sources or None in operations:
        return None  # an unknown `when` key: Istio skips the rule, whatever its action
    return CompiledRule(
        policy=policy,
        rule=rule,
        name=rule_name(policy, rule.index),
        sources=tuple(s for s in sources if s is not None),
        operations=tuple(o for o in operations if o is not None),
        conditions=conditions,
        dropped=tuple(dropped),
        impossible=bool(dropped) and policy.action == "ALLOW",
    )
