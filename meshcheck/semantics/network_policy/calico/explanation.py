"""Why a connection is refused: what the rule that denies it looks at; or, where no rule of a tier means it, every rule that could let it
through, with what it wants and what the connection has, the nearest miss first.
"""

from __future__ import annotations

from collections.abc import Iterable

from meshcheck.model.calico import ALLOW, PASS, CalicoPolicy, CalicoRule
from meshcheck.model.network_policy import NetworkPolicy
from meshcheck.model.objects import ObjectRef
from meshcheck.model.reason import Reason
from meshcheck.model.record import replace
from meshcheck.semantics.network_policy import explanation
from meshcheck.semantics.network_policy.calico.entities import Connection
from meshcheck.semantics.network_policy.calico.policies import Entry
from meshcheck.semantics.network_policy.calico.rules import wanted
from meshcheck.semantics.network_policy.calico.surroundings import Surroundings

_NO_RULES = 99


def explain(entries: Iterable[Entry], call: Connection, around: Surroundings) -> tuple[Reason, ...]:
    """A reason for each rule, or for a policy without rules; sorted by the number of failing conditions."""
    out: list[tuple[int, Reason]] = []
    for entry in entries:
        policy = entry.policy
        if isinstance(policy, NetworkPolicy):
            out += explanation.weighed((policy,), call.direction, call.peer, call.target, call.protocol, call.port, call.strict)
        elif isinstance(policy, CalicoPolicy):
            rules = [rule for rule in policy.rules(call.direction) if rule.action in (ALLOW, PASS)]
            out += [_rule(policy.meta.ref, rule, call, around) for rule in rules]
            if not rules:
                words = f"isolates its pods for {call.direction} and has no {call.direction} rules that let anything through"
                out.append((_NO_RULES, Reason(words, False, policy.meta.ref, ("spec",))))
    return tuple(reason for _, reason in sorted(out, key=lambda item: item[0]))


def denied(policy: ObjectRef, rule: CalicoRule, call: Connection, around: Surroundings) -> Reason:
    """Everything that a rule wants that denies."""
    found = _rule(policy, rule, call, around)[1]
    return replace(found, text=f"{call.direction} rule {rule.index} denies it")


def _rule(ref: ObjectRef, rule: CalicoRule, call: Connection, around: Surroundings) -> tuple[int, Reason]:
    parts = tuple(Reason(c.text, c.holds, ref, c.field, c.wanted, c.actual) for c in wanted(rule, call, around))
    failures = sum(part.holds is False for part in parts)
    holds = False if failures else None if any(part.holds is None for part in parts) else True
    words = f"{call.direction} rule {rule.index} ({rule.action})"
    return failures or _NO_RULES, Reason(words, holds, ref, rule.field, parts=parts)
