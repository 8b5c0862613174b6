"""A NetworkPolicy admits what an admin policy denies before it is asked.

## Finds

Peers of NetworkPolicies that mean workloads of the input, where a rule of the Admin tier (AdminNetworkPolicy, or ClusterNetworkPolicy with
`tier: Admin`) denies every connection that the peer would admit.

## Why it matters

The Admin tier decides first, and its Deny is final. The owner of the namespace reads and edits a NetworkPolicy that has no effect here, and
often may not even see the policy that decides.

## Avoid

```yaml
kind: ClusterNetworkPolicy
spec:
  tier: Admin
  ingress: [{action: Deny, from: [{namespaces: {matchLabels: {team: blue}}}]}]
---
kind: NetworkPolicy
spec:
  ingress: [{from: [{namespaceSelector: {matchLabels: {team: blue}}}]}]
```

## Prefer

```yaml
kind: ClusterNetworkPolicy
spec:
  tier: Admin
  ingress: [{action: Pass, from: [{namespaces: {matchLabels: {team: blue}}}]}]     # NetworkPolicies decide
```

## Exceptions

A Deny that is meant to overrule the owners of namespaces: then the peer can go.

## Silent when

The peer means no workload of the input, or others that may not be; one of its connections is not denied; labels are not known.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.network_policies import DIRECTIONS, end_of, has_admin, meant, peers_of, ports_open, selected
from meshcheck.lint.proxies import listed
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.core import Workload
from meshcheck.model.network_policy import INGRESS, NetworkPolicy, PodPeer, PolicyRule
from meshcheck.model.trace import Mention
from meshcheck.semantics.network_policy import PolicySet, evaluate


@rule("MC731", "tier-shadows-netpol", severity="warning", needs="documents")
def check(evidence: Evidence) -> Iterator[Found]:
    """Peers all of whose connections are denied above."""
    if not has_admin(evidence):
        return
    above = PolicySet((), [p for kind in ("AdminNetworkPolicy", "ClusterNetworkPolicy") for p in evidence.of(kind) if p.tier == "Admin"])
    for policy in evidence.of("NetworkPolicy"):
        for direction in DIRECTIONS:
            for one, peer in peers_of(policy, direction):
                others = meant(evidence, policy, peer) if isinstance(peer, PodPeer) else None
                decider = _denied(evidence, above, policy, direction, one, others) if others else None
                if others and decider is not None:
                    way = "from" if direction == INGRESS else "to"
                    name = f"{decider.meta.ref.kind} {decider.meta.name}"
                    message = f"admits calls {way} {listed(others)}, but {name} denies them before this policy is asked"
                    yield found(policy.meta, peer.field, message, ("this denies them", decider.meta, decider.field))


def _denied(
    evidence: Evidence, above: PolicySet, policy: NetworkPolicy, direction: str, one: PolicyRule, others: tuple[Workload, ...]
) -> Mention | None:
    """What denies the first of the connections that a rule admits for some peers; None where one of them is not denied."""
    first: Mention | None = None
    for own in selected(evidence, policy):
        for other in others:
            source, target = (other, own) if direction == INGRESS else (own, other)
            for protocol, number in ports_open(evidence, one, target) if source is not target else ():
                sides = evaluate(above, end_of(evidence, source), end_of(evidence, target), protocol, number, explain=False)
                side = next((s for s in sides if s.direction == direction), None)
                if side is None or side.allowed is not False or not side.mentions:
                    return None
                first = first or side.mentions[0]
    return first
