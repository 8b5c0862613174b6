"""A NetworkPolicy selects pods in the host's network only, for which it is not specified.

## Finds

NetworkPolicies whose `podSelector` has labels and selects nothing but pods with `hostNetwork: true`.

## Why it matters

Such a pod has the node's address. Most network plugins treat its traffic as the node's and apply no policy: what the policy closes stays
open.

## Avoid

```yaml
kind: DaemonSet
spec: {template: {metadata: {labels: {app: agent}}, spec: {hostNetwork: true}}}
---
kind: NetworkPolicy
spec: {podSelector: {matchLabels: {app: agent}}}
```

## Prefer

```yaml
kind: DaemonSet
spec: {template: {spec: {hostNetwork: false}}}
```

## Exceptions

Plugins with host policies of their own, which are not NetworkPolicies.

## Silent when

The policy selects a pod with an address of its own, too, or none that was read.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, found, rule


@rule("MC725", "netpol-host-network", severity="warning", needs="documents")
def check(evidence: Evidence) -> Iterator[Found]:
    """Policies for pods in the host's network."""
    for policy in evidence.of("NetworkPolicy"):
        if policy.pods.requirements:
            pods = [w for w in evidence.world.workloads_in(policy.meta.namespace) if policy.pods.matches(w.pod_labels)]
            if pods and all(w.host_network for w in pods):
                words = f"selects {pods[0]}, which is in the host's network: most network plugins apply no policy to it"
                yield found(policy.meta, ("spec", "podSelector"), words, ("in the host's network", pods[0].meta, ("metadata", "name")))
