"""A policy at a waypoint can be passed by: nothing makes callers take the detour.

## Finds

AuthorizationPolicies of a Service with a waypoint whose pods admit everybody: no ALLOW policy applies to them at ztunnel, no DENY policy
names a source, and no NetworkPolicy isolates them.

## Why it matters

The detour is the caller's choice. A call to the pod's address, of a pod without the mesh, of one with a sidecar, or of an ingress gateway
goes straight to the pod, past the waypoint and all that it would check.

## Avoid

```yaml
kind: AuthorizationPolicy      # alone
spec:
  targetRefs: [{group: "", kind: Service, name: cart}]
  rules: [{to: [{operation: {methods: [GET]}}]}]
```

## Prefer

```yaml
kind: AuthorizationPolicy      # and this one at the pods
spec:
  selector: {matchLabels: {app: cart}}
  rules: [{from: [{source: {principals: ["cluster.local/ns/shop/sa/wp"]}}]}]
```

## Exceptions

A policy that is a matter of routing, not of protection.

## Silent when

Not all policies of both kinds are known; some of the pods are not in ambient mode; the waypoint is not Istio's own.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.ambient import bound_to, is_captured, sent_to, target_path
from meshcheck.lint.evidence import Evidence
from meshcheck.lint.network_policies import decided_elsewhere, isolating
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.core import Workload
from meshcheck.model.network_policy import INGRESS
from meshcheck.semantics.ambient.waypoints import account

_KINDS = ("AuthorizationPolicy", "NetworkPolicy", "Gateway", "Service", "Workload", "Namespace")


@rule("MC605", "waypoint-bypass", severity="warning", needs="absence", kinds=_KINDS, audience="security")
def check(evidence: Evidence) -> Iterator[Found]:
    """Policies at waypoints that nothing makes callers pass."""
    if decided_elsewhere(evidence):
        return
    for policy in evidence.of("AuthorizationPolicy"):
        if policy.action not in ("ALLOW", "DENY", "CUSTOM") or policy.dry_run:
            continue
        if policy.action == "ALLOW" and any(not (r.sources or r.operations or r.conditions) for r in policy.rules):
            continue
        for number, target in enumerate(policy.attachment.targets):
            service = evidence.world.service(policy.meta.namespace, target.name) if target.kind == "Service" else None
            gateway = bound_to(evidence, service) if service is not None else None
            pods = evidence.world.pods_of(service) if service is not None else ()
            if gateway is None or not pods or not all(is_captured(evidence, w) and _open(evidence, w) for w in pods):
                continue
            words = f"callers may pass the waypoint `{gateway.meta.name}` by: {pods[0]} takes calls to its own address from anybody. "
            words += f"Admit only `…/ns/{gateway.meta.namespace}/sa/{account(gateway)}` there"
            field = (*target_path(evidence, policy, number), "name")
            yield found(policy.meta, field, words, ("takes calls from anybody", pods[0].meta, ("metadata", "name")))


def _open(evidence: Evidence, workload: Workload) -> bool:
    """Whether no policy at the pods looks at who calls."""
    for policy in sent_to(evidence, workload):
        if policy.action == "ALLOW" or any(r.sources or any(c.name.startswith("source.") for c in r.conditions) for r in policy.rules):
            return False
    return not isolating(evidence, workload, INGRESS)
