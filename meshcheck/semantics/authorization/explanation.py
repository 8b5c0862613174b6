"""The reason tree of an authorization decision: every rule, every field, what it wants and what the call has.

Built by walking the same compiled tests that decide, so it cannot say anything else than the verdict.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshcheck.model.reason import Reason
from meshcheck.model.trace import DENIED, Mention
from meshcheck.semantics.authorization.attributes import Attributes
from meshcheck.semantics.authorization.evaluate import FACTS, Decision
from meshcheck.semantics.authorization.policies import CompiledPolicies, CompiledRule, Tests
from meshcheck.semantics.authorization.tests import Test

Explanation = tuple[tuple[Mention, ...], tuple[Reason, ...], str]


def explain(station: str, verdict: str, decision: Decision, policies: CompiledPolicies, a: Attributes) -> Explanation:
    """(policies that took part, reasons, one line of summary)."""
    if decision.rule is not None:
        policy = decision.rule.policy
        text = f"{policy.meta.namespace}/{policy.meta.name} ({policy.action}) rule {decision.rule.rule.index}"
        words = {True: "admits the call", None: "may match"}.get(decision.allowed, "matches")
        return (Mention(policy.meta, rule=decision.rule.rule.index),), (rule_reason(decision.rule, a),), f"{text} {words}"
    if station == "custom" or decision.policy_id != "none":
        return tuple(Mention(p.meta) for p in policies.attached if p.action == "DENY"), (), "no DENY rule matches"
    reasons = tuple(rule_reason(rule, a) for rule in policies.allow)
    mentions = tuple(Mention(p.meta) for p in policies.allow_policies)
    names = ", ".join(f"{p.meta.namespace}/{p.meta.name}" for p in policies.allow_policies)
    nothing = "no rule matches" if policies.allow else "has no rules, so it allows nothing"
    return mentions, tuple(sorted(reasons, key=failures)), f"{names} (ALLOW): {nothing}" if verdict == DENIED else names


def failures(reason: Reason) -> int:
    """How many conditions of a rule fail: the fewer, the nearer the miss. Of alternatives the nearest counts."""
    if not reason.parts:
        return 0 if reason.holds else 1
    counts = [failures(part) for part in reason.parts]
    return min(counts) if reason.text in ("from", "to") and len(counts) > 1 else sum(counts)


def rule_reason(compiled: CompiledRule, a: Attributes) -> Reason:
    """One rule: from, to, when."""
    ref, base = compiled.policy.meta.ref, ("spec", "rules", compiled.rule.index)
    parts = []
    for name, groups in (("from", compiled.sources), ("to", compiled.operations)):
        if groups:
            inner = tuple(_group(tests, a, compiled) for tests in groups)
            holds = any_of([part.holds for part in inner])
            parts.append(Reason(name, holds, ref, (*base, name), parts=inner))
    if compiled.conditions:
        inner = tuple(_test(test, a, compiled) for test in compiled.conditions)
        parts.append(Reason("when", all_of([part.holds for part in inner]), ref, (*base, "when"), parts=inner))
    for test in compiled.dropped:
        written = f"{test.field.path[-1]} {', '.join(test.field.values)}"
        comes_to = "the rule never matches" if compiled.impossible else "the condition vanishes"
        text = f"{written}: cannot be checked {compiled.unread}, so {comes_to}"
        parts.append(Reason(text, not compiled.impossible, ref, test.field.path))
    return Reason(f"rule {compiled.rule.index}", compiled.holds(a), ref, base, parts=tuple(parts))


def any_of(values: list[bool | None]) -> bool | None:
    """Kleene's or."""
    return True if True in values else None if None in values else False


def all_of(values: list[bool | None]) -> bool | None:
    """Kleene's and."""
    return False if False in values else None if None in values else True


def _group(tests: Tests, a: Attributes, compiled: CompiledRule) -> Reason:
    inner = tuple(_test(test, a, compiled) for test in tests)
    path = tests[0].field.path[:-1] if tests else ("spec", "rules", compiled.rule.index)
    return Reason(
        "source" if "source" in path else "operation", all_of([part.holds for part in inner]), compiled.policy.meta.ref, path, parts=inner
    )


def _test(test: Test, a: Attributes, compiled: CompiledRule) -> Reason:
    holds, actual = test.holds(a), actual_value(test, a)
    field = test.field
    written = field.path[-1] if field.name.isalnum() else f"{field.name} {field.path[-1]}"
    said = FACTS.get(test.attribute, "") if holds is None else actual
    return Reason(str(written), holds, compiled.policy.meta.ref, field.path, field.values, said)


def actual_value(test: Test, a: Attributes) -> str:
    """What the call has where a test looks, in words."""
    what, _, name = test.attribute.partition(":")
    if what == "principal":
        return a.principal.removeprefix("spiffe://") if a.principal else "no identity: the call arrives in plaintext"
    if what == "header":
        lines = a.headers.get(name)
        return ", ".join(lines) if lines is not None else "absent"
    if what == "claim":
        return _claim(name, a.payload)
    value = str(getattr(a, what, "") or "")
    return value or "none"


def _claim(name: str, payload: Mapping[str, Any] | None) -> str:
    if payload is None:
        return "no verified token"
    if name == "iss/sub":
        return f"{payload.get('iss')}/{payload.get('sub')}"
    found: Any = payload
    for key in name.split("/"):
        found = found.get(key) if isinstance(found, Mapping) else None
    return "absent" if found is None else str(found)
