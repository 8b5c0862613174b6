"""One end of a call is allowed and the other is not: the rule opens nothing.

## Finds

Rules whose peers are pods by label, where the policies of the other end refuse every one of the calls that the rule is for: egress that the
target's ingress does not admit, and ingress that the caller's egress does not let out.

## Why it matters

A call needs both ends. Who edits one reads a rule that allows it, and gets a timeout.

## Avoid

```yaml
kind: NetworkPolicy            # of app=web
spec: {policyTypes: [Egress], egress: [{to: [{podSelector: {matchLabels: {app: cart}}}]}]}
---
kind: NetworkPolicy            # of app=cart
spec: {ingress: [{from: [{podSelector: {matchLabels: {app: admin}}}]}]}
```

## Prefer

```yaml
kind: NetworkPolicy            # of app=cart
spec: {ingress: [{from: [{podSelector: {matchLabels: {app: admin}}}, {podSelector: {matchLabels: {app: web}}}]}]}
```

## Exceptions

A rule that one team prepares before the other.

## Silent when

Not all policies are known; the other end admits any of the calls, or that hangs on an address; both ends are in ambient mode, where packets
go to another port (MC712); the peer means a whole namespace.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from meshcheck.lint.ambient import is_captured
from meshcheck.lint.evidence import Evidence
from meshcheck.lint.network_policies import DIRECTIONS, all_policies, end_of, meant, pod_peers, ports_open, selected
from meshcheck.lint.proxies import listed
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.core import Workload
from meshcheck.model.network_policy import EGRESS, INGRESS, NetworkPolicy, PodPeer, PolicyRule
from meshcheck.model.trace import Mention
from meshcheck.semantics.network_policy import Side, evaluate

_MOST = 400
"""Calls that are asked about for one peer; a rule for more is left alone."""
_KINDS = ("NetworkPolicy", "ClusterNetworkPolicy", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "Workload", "Namespace")


@rule("MC724", "one-sided-allow", severity="warning", needs="absence", kinds=_KINDS)
def check(evidence: Evidence) -> Iterator[Found]:
    """Peers whose own end refuses."""
    for policy in evidence.of("NetworkPolicy"):
        for direction in DIRECTIONS:
            for one in policy.rules(direction) if direction in policy.directions else ():
                for peer in pod_peers(one):
                    if peer.pods is not None and peer.pods.requirements:
                        yield from _peer(evidence, policy, direction, one, peer)


def _peer(evidence: Evidence, policy: NetworkPolicy, direction: str, one: PolicyRule, peer: PodPeer) -> Iterator[Found]:
    own = selected(evidence, policy)
    others = tuple(w for w in meant(evidence, policy, peer) or () if not w.host_network)
    if not own or not others or len(own) * len(others) > _MOST:
        return
    sources, targets = (own, others) if direction == EGRESS else (others, own)
    far = INGRESS if direction == EGRESS else EGRESS
    side: Side | None = None
    for source, target in product(sources, targets):
        if source is target or (is_captured(evidence, source) and is_captured(evidence, target)):
            return
        ports = ports_open(evidence, one, target)
        answers = [_far(evidence, source, target, protocol, number, far) for protocol, number in ports]
        if not answers or any(a is None or a.allowed is not False for a in answers):
            return
        side = side or answers[0]
    decider: Mention | None = side.mentions[0] if side is not None and side.mentions else None
    if decider is None:
        return
    what = "the way in" if far == INGRESS else "the way out"
    words = f"this allows calls from {listed(sources)} to {listed(targets)}, but {what} is closed at the other end by {decider.meta.ref}: "
    yield found(policy.meta, peer.field, words + "both must allow a call", ("closes the other end", decider.meta, decider.field))


def _far(evidence: Evidence, source: Workload, target: Workload, protocol: str, number: int, far: str) -> Side | None:
    """What the policies of the other end say."""
    ends = end_of(evidence, source), end_of(evidence, target)
    sides = evaluate(all_policies(evidence), *ends, protocol, number, explain=False, directions=(far,))
    return next(iter(sides), None)
