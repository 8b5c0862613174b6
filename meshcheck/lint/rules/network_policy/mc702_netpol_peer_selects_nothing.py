"""A peer of a NetworkPolicy means no pod.

## Finds

Peers with a `podSelector` that matches no workload of the namespaces which the peer means (`namespaceSelector` is honoured), where
workloads of those namespaces were read.

## Why it matters

The rule opens nothing for whoever was meant, and the calls are dropped.

## Avoid

```yaml
ingress: [{from: [{podSelector: {matchLabels: {app: wep}}}]}]    # the pods have app=web
```

## Prefer

```yaml
ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]
```

## Exceptions

Pods that an operator makes, and of which no manifest tells.

## Silent when

The world is open; a namespace that the peer may mean has no workload in the input, or its labels were not read; the peer means all
namespaces, which is more than a set of files holds, or one that comes with the cluster or with Istio.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.network_policies import DIRECTIONS, is_elsewhere, meant, namespaces_of, peers_of
from meshcheck.lint.rule import Found, found, rule
from meshcheck.lint.selection import near_label
from meshcheck.model.network_policy import PodPeer


@rule("MC702", "netpol-peer-selects-nothing", severity="warning", needs="absence", kinds=("Workload", "Namespace"))
def check(evidence: Evidence) -> Iterator[Found]:
    """Peers without pods."""
    for policy in evidence.of("NetworkPolicy"):
        for direction in DIRECTIONS:
            for _, peer in peers_of(policy, direction):
                if not isinstance(peer, PodPeer) or not peer.pods or not peer.pods.requirements or meant(evidence, policy, peer) != ():
                    continue
                names = namespaces_of(evidence, policy, peer)
                scope = [evidence.world.workloads_in(name) for name in names or ()]
                elsewhere = any(is_elsewhere(evidence, name) for name in names or () if name != policy.meta.namespace)
                if names and all(scope) and not elsewhere and (peer.namespaces is None or peer.namespaces.requirements):
                    wanted = {r.key: r.values[0] for r in peer.pods.requirements if r.operator == "In"}
                    hint = near_label(wanted, tuple(w for each in scope for w in each))
                    where = ", ".join(f"`{name}`" for name in names[:3])
                    yield found(policy.meta, peer.field, f"no pod of namespace {where} is meant by this peer, so it opens nothing{hint}")
