"""Two admin policies of one tier have the same priority and say different things about the same connection.

## Finds

Pairs of AdminNetworkPolicies or ClusterNetworkPolicies of one tier with equal `priority` that both govern a workload, where one accepts
(or passes on) a connection that the other treats differently.

## Why it matters

Which of two equal priorities goes first is not specified: it differs between network plugins, and may change with a restart. A Deny that
holds today may be void tomorrow.

## Avoid

```yaml
metadata: {name: deny-tenants}
spec: {tier: Admin, priority: 10}
---
metadata: {name: allow-monitoring}
spec: {tier: Admin, priority: 10}
```

## Prefer

```yaml
metadata: {name: allow-monitoring}
spec: {tier: Admin, priority: 9}
```

## Exceptions

None.

## Silent when

No workload of the input is governed by both; they agree about every workload and address block that they name.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.network_policies import DIRECTIONS, end_of
from meshcheck.lint.proxies import servers
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.core import Workload
from meshcheck.model.network_policy import INGRESS, AdminPolicy, BlockPeer
from meshcheck.semantics.network_policy import Endpoint, PolicySet, evaluate

_WORDS = {"allows": "accepts", "denies": "denies", "passes": "passes on"}


@rule("MC732", "priority-tie", severity="warning", needs="documents", audience="platform")
def check(evidence: Evidence) -> Iterator[Found]:
    """Each policy with the first one before it that it contradicts."""
    groups: dict[tuple[str, int], list[AdminPolicy]] = {}
    for kind in ("AdminNetworkPolicy", "ClusterNetworkPolicy"):
        for policy in evidence.of(kind):
            groups.setdefault((policy.tier, policy.priority), []).append(policy)
    for tied in groups.values():
        for n, policy in enumerate(tied):
            contradiction = next((c for other in tied[:n] if (c := _contradiction(evidence, other, policy))), None)
            if contradiction:
                other, words = contradiction
                message = f"priority {policy.priority} is also {other.meta.name}'s, and which goes first is not specified: {words}"
                yield found(policy.meta, ("spec", "priority"), message, ("the other", other.meta, ("spec", "priority")))


def _contradiction(evidence: Evidence, one: AdminPolicy, two: AdminPolicy) -> tuple[AdminPolicy, str] | None:
    """A connection about which two policies differ."""
    directions = [d for d in DIRECTIONS if _actions(one, d) and _actions(two, d) and len(_actions(one, d) | _actions(two, d)) > 1]
    sets = PolicySet((), (one,)), PolicySet((), (two,))
    subject = (
        next((w for w in servers(evidence) if all(s.admin(end_of(evidence, w), one.tier) for s in sets)), None) if directions else None
    )
    for direction in directions if subject is not None else ():
        for peer in _peers(evidence, one, two, direction):
            for protocol, number in _ports(one, two, direction):
                said = [_said(evidence, s, direction, subject, peer, protocol, number) for s in sets] if subject is not None else []
                if all(said) and said[0] != said[1]:
                    way = (
                        f"{peer.workload or peer.address} to {subject}"
                        if direction == INGRESS
                        else f"{subject} to {peer.workload or peer.address}"
                    )
                    words = f"{one.meta.name} {_WORDS[said[0]]} {way} on {protocol} {number}, {two.meta.name} {_WORDS[said[1]]} it"
                    return one, words
    return None


def _actions(policy: AdminPolicy, direction: str) -> set[str]:
    return {r.action for r in policy.rules(direction)}


def _peers(evidence: Evidence, one: AdminPolicy, two: AdminPolicy, direction: str) -> Iterator[Endpoint]:
    """Workloads, one of those with equal labels; and an address of each block that is named."""
    alike = {(w.namespace, tuple(sorted(w.pod_labels.items()))): w for w in reversed(servers(evidence)) if not w.host_network}
    yield from (end_of(evidence, w) for w in reversed(alike.values()))
    peers = [peer for policy in (one, two) for r in policy.rules(direction) for peer in r.peers]
    yield from (Endpoint(None, None, peer.cidr.partition("/")[0]) for peer in peers if isinstance(peer, BlockPeer))


def _ports(one: AdminPolicy, two: AdminPolicy, direction: str) -> list[tuple[str, int]]:
    """The ports that are named by number; any one where none is."""
    spans = [span for policy in (one, two) for r in policy.rules(direction) for span in r.ports if span.name is None]
    return list(dict.fromkeys((span.protocol or "TCP", span.low) for span in spans if span.protocol != "?")) or [("TCP", 80)]


def _said(evidence: Evidence, policies: PolicySet, direction: str, subject: Workload, peer: Endpoint, protocol: str, number: int) -> str:
    """What a policy does with a connection; empty where it says nothing, or nobody knows."""
    own = end_of(evidence, subject)
    ends = (peer, own) if direction == INGRESS else (own, peer)
    for side in evaluate(policies, *ends, protocol, number, explain=False):
        if side.direction == direction and side.allowed is not None and side.mentions:
            return str(side.mentions[0].effect)
    return ""
