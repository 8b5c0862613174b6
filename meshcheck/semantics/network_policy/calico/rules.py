"""Whether a rule of any policy means a connection, as Calico has it.

Sources: projectcalico/calico:felix/calc/rule_scanner.go, app-policy/checker/match.go; for policies of Kubernetes
libcalico-go/lib/backend/k8s/conversion/{conversion,clusternetworkpolicy}.go.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.model.calico import ALLOW, DENY, CalicoRule
from meshcheck.model.network_policy import AdminPolicy, DomainPeer, NetworkPolicy, NodePeer, PolicyRule, UnknownPeer
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.addresses import parse_address
from meshcheck.semantics.network_policy.admin import action_of
from meshcheck.semantics.network_policy.calico.entities import Condition, Connection, conditions, named
from meshcheck.semantics.network_policy.calico.surroundings import Surroundings
from meshcheck.semantics.network_policy.peers import means
from meshcheck.semantics.network_policy.ports import covered

NUMBERS = {"TCP": 6, "UDP": 17, "SCTP": 132}
_NAMES = {1: "ICMP", 6: "TCP", 17: "UDP", 58: "ICMPv6", 132: "SCTP", 136: "UDPLite"}


class Answer(NamedTuple):
    """What a rule does with a connection that it means (`holds`), or may mean (None, with the fact that is `missing`)."""

    action: str
    holds: bool | None
    missing: str = ""


def answer(rule: CalicoRule, call: Connection, around: Surroundings) -> Answer:
    """What a rule of Calico's says."""
    missing = ""
    for condition in wanted(rule, call, around):
        if condition.holds is False:
            return Answer(rule.action, False)
        if condition.holds is None:
            missing = missing or condition.missing
    return Answer(rule.action, None if missing else True, missing)


def wanted(rule: CalicoRule, call: Connection, around: Surroundings) -> Iterator[Condition]:
    """Everything that a rule wants of a connection. That it is a question of an HTTP request is left to the walk."""
    number, ours = NUMBERS[call.protocol], call.protocol
    if rule.protocol is not None:
        yield Condition("protocol", rule.protocol == number, (*rule.field, "protocol"), (_protocol(rule.protocol),), ours)
    if rule.not_protocol is not None:
        words = (f"not {_protocol(rule.not_protocol)}",)
        yield Condition("notProtocol", rule.not_protocol != number, (*rule.field, "notProtocol"), words, ours)
    if rule.icmp:
        yield Condition("icmp", False, (*rule.field, "icmp"), ("messages of ICMP",), ours)
    if rule.ip_version is not None:
        yield _version(rule, call)
    yield from conditions(rule.source, call.source, call, around)
    yield from conditions(rule.destination, call.target, call, around)


def _protocol(number: int) -> str:
    return _NAMES.get(number, f"protocol {number}")


def _version(rule: CalicoRule, call: Connection) -> Condition:
    ends = sorted((call.source, call.target), key=lambda end: end.workload is not None)  # pods may have an address of each version
    known = [found for end in ends if end.address and (found := parse_address(end.address)) is not None]
    version = (4 if known[0].bits == 32 else 6) if known else None
    holds = None if version is None else version == rule.ip_version
    fact = f"whether {named(call.source)} and {named(call.target)} speak IPv{rule.ip_version}: no address of them is in the input"
    return Condition("ipVersion", holds, (*rule.field, "ipVersion"), (f"IPv{rule.ip_version}",), f"IPv{version}", fact)


def plain_answer(policy: NetworkPolicy, rule: PolicyRule, call: Connection) -> Answer:
    """What a rule of a NetworkPolicy says."""
    if not covered(rule, call.target, call.protocol, call.port):
        return Answer(ALLOW, False)
    answers = [means(peer, call.peer, policy.meta.namespace, call.strict) for peer in rule.peers] or [True]
    if True in answers:
        return Answer(ALLOW, True)
    fact = f"whether {named(call.peer)} is one of the peers of {policy.meta.namespace}/{policy.meta.name}"
    return Answer(ALLOW, None, fact) if None in answers else Answer(ALLOW, False)


def admin_answer(policy: AdminPolicy, rule: PolicyRule, call: Connection) -> Answer:
    """What a rule of an admin policy says; where it has peers that Calico does not know, it differs from version to version."""
    found = action_of(rule, call.peer, call.target, call.protocol, call.port, call.strict)
    if found is False:
        return Answer(rule.action, False)
    if any(isinstance(peer, NodePeer | DomainPeer | UnknownPeer) for peer in rule.peers):
        fact = f"what Calico makes of rule {rule.name or rule.index} of {policy.meta.ref}: it does not know all its peers"
        return Answer(DENY, None, fact)
    action = {"Accept": ALLOW}.get(str(found or rule.action), str(found or rule.action))
    fact = f"whether {policy.meta.ref} rule {rule.name or rule.index} means {named(call.peer)}"
    return Answer(action, None if found is None else True, fact if found is None else "")
