"""A policy selects pods on the host's network, where no proxy of Istio captures calls.

## Finds

AuthorizationPolicies, RequestAuthentications and PeerAuthentications with a selector that selects a workload with `hostNetwork: true`.

## Why it matters

Pods on the host's network get no sidecar and are not captured in ambient mode. What the policy says is enforced by nobody.

## Avoid

```yaml
kind: DaemonSet
spec:
  template:
    metadata: {labels: {app: agent}}
    spec: {hostNetwork: true}
---
kind: AuthorizationPolicy
spec:
  selector: {matchLabels: {app: agent}}
```

## Prefer

```yaml
kind: DaemonSet
spec:
  template:
    metadata: {labels: {app: agent}}
    spec: {hostNetwork: false}
```

## Exceptions

Gateways of Istio on the host's network: their proxy is the application itself, and they are left alone. NetworkPolicies are MC725's.

## Silent when

The workload is not in the input.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, found, rule
from meshcheck.lint.selection import selected_by
from meshcheck.semantics.gateway.pods import is_gateway

_KINDS = ("AuthorizationPolicy", "RequestAuthentication", "PeerAuthentication")


@rule("MC108", "selects-host-network", severity="warning", needs="documents")
def check(evidence: Evidence) -> Iterator[Found]:
    """Selected workloads on the host's network."""
    for policy in (policy for kind in _KINDS for policy in evidence.of(kind)):
        for workload in selected_by(evidence, policy):
            if workload.host_network and not is_gateway(workload) and "istio-proxy" not in workload.containers:
                words = f"selects {workload.kind} {workload}, whose pods are on the host's network: no proxy captures calls to them"
                yield found(policy.meta, ("spec", "selector"), words, ("on the host's network", workload.meta, ("metadata", "name")))
                break
