"""No NetworkPolicy isolates a workload, where most of its neighbours are isolated.

## Finds

Workloads that no NetworkPolicy selects for ingress, in a namespace most of whose workloads are isolated for ingress.

## Why it matters

A pod that no policy selects takes calls from everywhere. Between pods that are isolated this is rarely meant: a label was forgotten, or a
workload came later.

## Avoid

```yaml
kind: NetworkPolicy
spec: {podSelector: {matchLabels: {app: cart}}}       # and nothing for app=db
```

## Prefer

```yaml
kind: NetworkPolicy
spec: {podSelector: {}}                               # all pods of the namespace
```

## Exceptions

A workload that is for everybody: write a policy that says so (`ingress: [{}]`).

## Silent when

Not all policies are known; half of the namespace or less is isolated; an admin policy may decide; the pod is a gateway, a job, or in the
host's network.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.network_policies import decided_elsewhere, isolating
from meshcheck.lint.proxies import servers
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.core import Workload
from meshcheck.model.network_policy import INGRESS
from meshcheck.semantics.gateway.pods import is_gateway

_KINDS = ("NetworkPolicy", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy", "Workload")


@rule("MC722", "pod-not-isolated", severity="warning", needs="absence", confidence="medium", kinds=_KINDS, audience="security")
def check(evidence: Evidence) -> Iterator[Found]:
    """Workloads that were left out."""
    if decided_elsewhere(evidence):
        return
    spaces = dict.fromkeys(p.meta.namespace for p in evidence.of("NetworkPolicy") if INGRESS in p.directions)
    known: dict[str, list[Workload]] = {}
    for workload in servers(evidence):
        if workload.namespace in spaces and not (workload.host_network or is_gateway(workload) or workload.kind in ("Job", "CronJob")):
            known.setdefault(workload.namespace, []).append(workload)
    for namespace, workloads in known.items():
        bare = [w for w in workloads if not isolating(evidence, w, INGRESS)]
        for workload in bare if 2 * len(bare) < len(workloads) else ():
            share = f"{len(workloads) - len(bare)} of {len(workloads)}"
            words = f"no NetworkPolicy isolates {workload}, and {share} workloads of `{namespace}` are: it takes calls from everywhere"
            yield found(workload.meta, ("metadata", "name"), words)
