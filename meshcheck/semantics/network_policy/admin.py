"""Rules of the admin tiers.

Source: kubernetes-sigs/network-policy-api:apis/v1alpha2/clusternetworkpolicy_types.go.
"""

from __future__ import annotations

from meshcheck.model.network_policy import PolicyRule, UnknownPeer
from meshcheck.semantics.network_policy.peers import Endpoint, means
from meshcheck.semantics.network_policy.ports import covers


def action_of(rule: PolicyRule, peer: Endpoint, target: Endpoint, protocol: str, port: int, strict: bool) -> str | bool | None:
    """The action of a rule that matches; False when it does not, None when that is not known.

    What the implementation does not understand fails closed: it matches nothing in an Accept rule and makes every other rule a Deny.
    """
    strange_port = any(span.protocol == "?" for span in rule.ports)
    if rule.ports and not strange_port and not any(covers(span, target, protocol, port) for span in rule.ports):
        return False
    strange_peer = any(isinstance(p, UnknownPeer) for p in rule.peers)
    if strange_peer or strange_port:
        if rule.action != "Accept":
            return "Deny"
        if strange_port and not any(span.protocol != "?" and covers(span, target, protocol, port) for span in rule.ports):
            return False
    answers = [means(p, peer, "", strict) for p in rule.peers if not isinstance(p, UnknownPeer)]
    if True in answers:
        return rule.action
    return None if None in answers else False
