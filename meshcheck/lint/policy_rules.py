"""The rules of AuthorizationPolicies beside the others that apply where they do."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from meshcheck.lint.covering import covered_by, covered_values
from meshcheck.lint.evidence import Evidence
from meshcheck.lint.proxies import governed
from meshcheck.model.core import Workload
from meshcheck.model.istio_security import AuthorizationPolicy
from meshcheck.model.objects import Path
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.authorization.policies import CompiledPolicies, CompiledRule
from meshcheck.semantics.tracing.proxies import compiled

Others = Callable[[CompiledPolicies, CompiledRule], tuple[CompiledRule, ...]]
"""From the policies of a workload and a rule to the rules that may cover it."""


class Covered(NamedTuple):
    """A rule that others cover on every proxy that its policy applies to; `by` are those of the first proxy."""

    rule: CompiledRule
    by: tuple[CompiledRule, ...]


def rules_of(evidence: Evidence, policy: AuthorizationPolicy) -> Iterator[CompiledRule]:
    """The compiled rules of an enforced ALLOW or DENY policy that applies to something."""
    workloads = governed(evidence, policy)
    if workloads and not policy.dry_run and policy.action in ("ALLOW", "DENY"):
        yield from (rule for rule in _of_action(compiled(evidence.world, workloads[0], True), policy.action) if rule.policy is policy)


def covered(evidence: Evidence, rule: CompiledRule, others: Others) -> Covered | None:
    """What covers a rule on all proxies that its policy applies to; None where something of it is left."""
    first: tuple[CompiledRule, ...] = ()
    known: dict[tuple[int, ...], tuple[CompiledRule, ...] | None] = {}
    for workload in governed(evidence, rule.policy):
        found = _on(evidence, workload, rule, others, known)
        if found is None:
            return None
        first = first or found
    return Covered(rule, first) if first else None


def denied_values(evidence: Evidence, rule: CompiledRule) -> dict[Path, CompiledRule]:
    """The values of an ALLOW rule's fields, by their places, of which DENY rules leave nothing on all proxies; and one of these rules."""
    kept: dict[Path, CompiledRule] | None = None
    known: dict[tuple[int, ...], dict[Path, CompiledRule]] = {}
    for workload in governed(evidence, rule.policy):
        policies = compiled(evidence.world, workload, True)
        key = tuple(id(policy) for policy in policies.attached)
        if key not in known:
            known[key] = covered_values(rule, policies.deny, evidence.world.mesh.trust_domains)
        kept = known[key] if kept is None else {path: by for path, by in kept.items() if path in known[key]}
        if not kept:
            return {}
    return kept or {}


def _on(
    evidence: Evidence,
    workload: Workload,
    rule: CompiledRule,
    others: Others,
    known: dict[tuple[int, ...], tuple[CompiledRule, ...] | None],
) -> tuple[CompiledRule, ...] | None:
    """What covers a rule on one proxy; proxies with the same policies are looked at once."""
    policies = compiled(evidence.world, workload, True)
    key = tuple(id(policy) for policy in policies.attached)
    if key not in known:
        known[key] = covered_by(rule, others(policies, rule), evidence.world.mesh.trust_domains)
    return known[key]


def _of_action(policies: CompiledPolicies, action: str) -> tuple[CompiledRule, ...]:
    return policies.allow if action == "ALLOW" else policies.deny


def peers_of(policies: CompiledPolicies, rule: CompiledRule) -> tuple[CompiledRule, ...]:
    """The other rules of the same action."""
    return tuple(other for other in _of_action(policies, rule.policy.action) if other.name != rule.name)


def deny_rules(policies: CompiledPolicies, rule: CompiledRule) -> tuple[CompiledRule, ...]:
    """The DENY rules beside a rule."""
    return policies.deny


def same_requests(evidence: Evidence, one: CompiledRule, other: CompiledRule) -> bool:
    """Whether two rules match the same requests."""
    domains = evidence.world.mesh.trust_domains
    return covered_by(one, (other,), domains) is not None and covered_by(other, (one,), domains) is not None


def redundant(evidence: Evidence, policy: AuthorizationPolicy) -> tuple[int, tuple[Covered, ...]]:
    """(number of rules, those of them that other rules of the same action contain); of equal rules only the later one."""

    def find() -> tuple[int, tuple[Covered, ...]]:
        rules = tuple(rules_of(evidence, policy))
        found = (covered(evidence, rule, lambda policies, one: _kept_beside(evidence, policies, one)) for rule in rules)
        return len(rules), tuple(item for item in found if item is not None)

    return evidence.once(("redundant", id(policy)), find)


def _kept_beside(evidence: Evidence, policies: CompiledPolicies, rule: CompiledRule) -> tuple[CompiledRule, ...]:
    """The rules that stay when a rule goes because of them: of rules that contain each other the first by name stays."""
    domains = evidence.world.mesh.trust_domains
    others = peers_of(policies, rule)
    return tuple(o for o in others if o.name < rule.name or covered_by(o, (rule,), domains) is None)
