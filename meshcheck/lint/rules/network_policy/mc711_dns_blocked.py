"""Egress is restricted and DNS is forgotten, so every call by name fails.

## Finds

Workloads whose NetworkPolicies have egress rules for pods and none that opens port 53, where the cluster's DNS cannot be asked.

## Why it matters

The call that the rule was to allow never starts: the name is not resolved. It looks like a broken DNS, not like a policy.

## Avoid

```yaml
policyTypes: [Egress]
egress: [{to: [{podSelector: {matchLabels: {app: db}}}]}]
```

## Prefer

```yaml
egress:
- to: [{podSelector: {matchLabels: {app: db}}}]
- to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}, podSelector: {matchLabels: {k8s-app: kube-dns}}}]
  ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]
```

## Exceptions

Workloads that call addresses only, or have a resolver of their own beside them.

## Silent when

The world is open; some rule opens UDP 53 (or 5353, the port of OpenShift's DNS) to anybody; the policies let nothing out at all, which is
a plain default deny; the pod has a `dnsPolicy` of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.network_policies import all_policies, covers_number, decided_elsewhere, end_of, isolated, isolating, pod_peers
from meshcheck.lint.proxies import listed
from meshcheck.lint.repair import adding
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.core import Workload
from meshcheck.model.network_policy import EGRESS, NetworkPolicy
from meshcheck.semantics.network_policy import evaluate
from meshcheck.semantics.tracing.network import dns_servers

_KINDS = ("NetworkPolicy", "Namespace", "Workload", "Service")
_KUBE_DNS = {
    "to": [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
            "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
        }
    ],
    "ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}],
}


@rule("MC711", "dns-blocked", severity="error", needs="absence", confidence="medium", kinds=_KINDS)
def check(evidence: Evidence) -> Iterator[Found]:
    """Workloads that cannot ask DNS, by the policy that opens something else."""
    hurt: dict[int, tuple[NetworkPolicy, list[Workload]]] = {}
    for workload in isolated(evidence, EGRESS) if not decided_elsewhere(evidence) else ():
        policies = isolating(evidence, workload, EGRESS)
        rules = [(p, r) for p in policies for r in p.egress]
        opening = next((p for p, r in rules if any(pod_peers(r))), None)
        dns = any(covers_number(r, "UDP", 53) or covers_number(r, "UDP", 5353) for p, r in rules if r.ports or not r.peers)
        if opening is not None and not dns and workload.dns_policy in ("ClusterFirst", "") and _closed(evidence, workload):
            hurt.setdefault(id(opening), (opening, []))[1].append(workload)
    for policy, workloads in hurt.values():
        words = f"{listed(workloads)} cannot ask the cluster's DNS: no egress rule opens UDP 53, so no name can be resolved"
        fix = adding(policy.meta, ("spec", EGRESS, "-"), _KUBE_DNS, "open the cluster's DNS", safe=False)
        yield found(policy.meta, ("spec", EGRESS), words, fix=fix)


def _closed(evidence: Evidence, workload: Workload) -> bool:
    policies = all_policies(evidence)
    for server in dns_servers(evidence.world):
        sides = evaluate(policies, end_of(evidence, workload), end_of(evidence, server), "UDP", 53, explain=False)
        if not any(side.direction == EGRESS and side.allowed is False for side in sides):
            return False
    return True
