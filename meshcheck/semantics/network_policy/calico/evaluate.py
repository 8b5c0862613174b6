"""The walk through the tiers: the first rule that means a connection decides, `Pass` goes on with the next tier, and what no rule of a
tier means is treated as its default action says. What no tier decides, the profile of the namespace allows.

What is not known is followed both ways: where all ways come to one end, that is the answer.

Sources: projectcalico/calico:app-policy/checker/check.go (checkTiers), libcalico-go/lib/backend/k8s/conversion/conversion.go
(NamespaceToProfile), felix/rules/endpoints.go.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Protocol

from meshcheck.model.calico import ALLOW, LOG, PASS, CalicoPolicy, CalicoRule
from meshcheck.model.core import Workload
from meshcheck.model.network_policy import INGRESS, AdminPolicy, NetworkPolicy
from meshcheck.model.objects import Path
from meshcheck.model.reason import Reason
from meshcheck.model.record import NamedTuple
from meshcheck.model.trace import Mention, Symptom
from meshcheck.semantics.network_policy.calico import explanation
from meshcheck.semantics.network_policy.calico.entities import Connection, named
from meshcheck.semantics.network_policy.calico.labels import is_endpoint
from meshcheck.semantics.network_policy.calico.policies import Arrangement, CalicoSet, Entry, Policy, Tier
from meshcheck.semantics.network_policy.calico.rules import Answer, admin_answer, answer, plain_answer
from meshcheck.semantics.network_policy.calico.surroundings import Surroundings
from meshcheck.semantics.network_policy.peers import Endpoint, means_pods
from meshcheck.semantics.network_policy.side import Side

_UNENFORCED = "its `http` is not looked at without application layer policy"


class Found(NamedTuple):
    """One end to which a connection may come. `missing` is the fact on which it hangs; empty where it does not."""

    allowed: bool
    mentions: tuple[Mention, ...]
    words: str
    missing: str = ""
    tier: Tier | None = None
    """The tier whose default action it is."""
    rule: _Rule | None = None
    """The rule that says so."""


class _Rule(NamedTuple):
    """A rule of any policy, and what it says."""

    policy: Policy
    name: int | str
    field: Path
    written: CalicoRule | None
    """As it was written, where it is one of Calico's."""
    answer: Answer

    def mention(self, direction: str, effect: str) -> Mention:
        return Mention(self.policy.meta, direction, effect, self.name, self.field)


class Calico:
    """The network plugin."""

    def __init__(self, policies: CalicoSet) -> None:
        self.policies = policies

    def may_isolate(self, namespace: str, direction: str) -> bool:
        """Whether some policy of its own may close a direction for some pod of a namespace."""
        return self.policies.may_isolate(namespace, direction)

    def isolates(self, end: Endpoint, direction: str) -> bool:
        """Whether some policy of its own is about a direction of a pod, or may be."""
        return bool(self.policies.about(end, direction))

    def signature(self, end: Endpoint) -> Hashable:
        """Equal for pods that its policies do not tell apart as callers."""
        return self.policies.signature(end)

    def side(
        self, plain: Plain, direction: str, source: Endpoint, target: Endpoint, protocol: str, port: int, strict: bool, explain: bool
    ) -> Side | None:
        """The answer of one direction; None for an end that no policy is about."""
        call = Connection(direction, source, target, protocol, port, strict, explain)
        if not is_endpoint(call.subject):
            return self._of_a_host(call)
        return decided(self.policies, tuple(self._entries(plain, call)), call)

    def _entries(self, plain: Plain, call: Connection) -> Iterator[Entry]:
        """The policies of all kinds that are about a pod. Admin policies without rules for a direction say nothing of it."""
        subject = call.subject
        assert subject.workload is not None
        yield from self.policies.about(subject, call.direction)
        yield from (Entry(policy, True) for policy in plain.selecting(subject.workload, call.direction))
        for policy in (policy for tier in ("Admin", "Baseline") for policy in plain.admin(subject, tier)):
            if policy.subject is not None and policy.rules(call.direction):
                yield Entry(policy, means_pods(policy.subject, subject, "") is True)

    def _of_a_host(self, call: Connection) -> Side | None:
        """A node, a pod in its network, or what is outside: policies are about them where HostEndpoints stand for them."""
        end, direction = call.subject, call.direction
        if self.policies.around.hosts and (end.workload is not None or end.host):
            fact = f"what Calico's policies for HostEndpoints say to {named(end)}: meshcheck does not evaluate them"
            return Side(direction, None, (), fact, fact)
        if end.workload is None:
            return None
        words = f"{end.workload} is in the host's network: to Calico it is its node, and no HostEndpoint stands for that"
        return Side(direction, True, (), words)


class Plain(Protocol):
    """The policies of Kubernetes."""

    def selecting(self, workload: Workload, direction: str) -> tuple[NetworkPolicy, ...]:
        """NetworkPolicies that isolate a pod in a direction."""

    def admin(self, end: Endpoint, tier: str) -> tuple[AdminPolicy, ...]:
        """Admin policies of a tier whose subject is the pod, or may be."""


def decided(policies: CalicoSet, entries: tuple[Entry, ...], call: Connection) -> Side:
    """The answer of one direction. `entries`: the policies of all kinds that are about the pod."""
    workload = call.subject.workload
    assert workload is not None
    flawed = next((entry.policy for entry in entries if isinstance(entry.policy, CalicoPolicy) and entry.policy.flaw), None)
    if flawed is not None:
        fact = f"whether Calico takes {flawed.meta.ref}: {flawed.flaw}"
        return Side(call.direction, None, (Mention(flawed.meta, call.direction, None, None, ("spec",)),), fact, fact)
    ends: list[tuple[Arrangement, list[Found]]] = []
    passed: tuple[Mention, ...] = ()
    for one in policies.arrangements(entries):
        found, passed = _walk(one.tiers, call, policies.around)
        ends.append((one, found))
    if len({end.allowed for _, found in ends for end in found}) > 1:
        return _unknown(ends, call.direction)
    last = ends[0][1][-1]
    reasons: tuple[Reason, ...] = ()
    if call.explain and last.tier is not None:
        reasons = explanation.explain(last.tier.entries, call, policies.around)
    elif call.explain and not last.allowed and last.rule is not None and last.rule.written is not None:
        reasons = (explanation.denied(last.rule.policy.meta.ref, last.rule.written, call, policies.around),)
    symptom = Symptom("refused") if not last.allowed and policies.around.rejects else None
    words = last.words if last.mentions or passed else f"no policy isolates {workload} for {call.direction}"
    return Side(call.direction, last.allowed, (*passed, *last.mentions), words, None, reasons, symptom)


def _unknown(ends: list[tuple[Arrangement, list[Found]]], direction: str) -> Side:
    """What has to be known, and the policies that may decide."""
    split = next((found for _, found in ends if len({end.allowed for end in found}) > 1), None)
    if split is not None:
        other = next(end for end in split if end.missing and end.allowed != split[-1].allowed)
        return Side(direction, None, other.mentions, other.missing, other.missing)
    fact = next(one.doubt for one, _ in ends if one.doubt)
    return Side(direction, None, ends[0][1][-1].mentions, fact, fact)


def _walk(tiers: tuple[Tier, ...], call: Connection, around: Surroundings) -> tuple[list[Found], tuple[Mention, ...]]:
    """All ends to which the connection may come, the likeliest last; and the rules that passed it on."""
    found: list[Found] = []
    passed: list[Mention] = []
    for tier in tiers:
        ended = may_pass = False
        for rule, sure in _meant(tier, call, around):
            action = rule.answer.action
            surely = sure and rule.answer.holds is True
            if action == PASS:
                may_pass = True
                if surely:
                    passed.append(rule.mention(call.direction, "passes"))
            else:
                missing = "" if surely else rule.answer.missing or _in_doubt(rule.policy, call)
                found.append(_end(rule, call, missing))
            if surely:
                ended = True
                break
        if not ended:
            may_pass = may_pass or tier.passes or not tier.sure
            if not tier.passes:
                found.append(_default(tier, call))
        if not may_pass:
            return found, tuple(passed)
    words = f"no rule decides, and the profile of namespace {call.subject.workload.namespace if call.subject.workload else ''} allows it"
    return [*found, Found(True, (), words)], tuple(passed)


def _end(rule: _Rule, call: Connection, missing: str) -> Found:
    """What a rule does that means the connection, or may."""
    allows = rule.answer.action == ALLOW
    effect = "allows" if allows else "denies"
    note = f"; {_UNENFORCED}" if rule.written is not None and rule.written.http else ""
    words = f"{rule.policy.meta.ref} {call.direction} rule {rule.name} {effect} it{note}"
    return Found(allows, (rule.mention(call.direction, effect),), words, missing, None, rule)


def _default(tier: Tier, call: Connection) -> Found:
    sure = tuple(entry for entry in tier.entries if entry.sure) or tier.entries
    names = ", ".join(str(entry.policy.meta.ref) for entry in sure[:3]) + (f" and {len(sure) - 3} more" if len(sure) > 3 else "")
    words = f"{names} isolates it for {call.direction} in tier {tier.name}, and no rule allows this call"
    mentions = tuple(Mention(entry.policy.meta, call.direction, "isolates", None, ("spec",)) for entry in sure)
    return Found(False, mentions, words, "" if tier.sure else _in_doubt(tier.entries[0].policy, call), tier)


def _in_doubt(policy: Policy, call: Connection) -> str:
    workload = call.subject.workload
    return f"whether {policy.meta.ref} is about {workload}: labels of its namespace or of its service account are not in the input"


def _meant(tier: Tier, call: Connection, around: Surroundings) -> Iterator[tuple[_Rule, bool]]:
    """The rules of a tier that mean the connection, or may, in their order; and whether their policy surely is about the pod."""
    for entry in tier.entries:
        for rule in _rules(entry.policy, call, around):
            if rule.answer.holds is not False and rule.answer.action != LOG:
                yield rule, entry.sure


def _rules(policy: Policy, call: Connection, around: Surroundings) -> Iterator[_Rule]:
    if isinstance(policy, CalicoPolicy):
        server = call.subject.workload
        for one in policy.rules(call.direction):
            said = answer(one, call, around)
            if one.http and said.holds and call.direction == INGRESS and server is not None and around.looks_at_requests(server):
                fact = f"what application layer policy makes of the request: rule {one.index} of {policy.meta.ref} looks at it"
                said = Answer(said.action, None, fact)
            yield _Rule(policy, one.index, one.field, one, said)
    elif isinstance(policy, NetworkPolicy):
        for plain in policy.rules(call.direction):
            yield _Rule(policy, plain.index, plain.field, None, plain_answer(policy, plain, call))
    else:
        assert isinstance(policy, AdminPolicy)
        for rule in policy.rules(call.direction):
            yield _Rule(policy, rule.name or rule.index, rule.field, None, admin_answer(policy, rule, call))
