"""A NetworkPolicy names the port of a Service, where the pods listen on another one.

## Finds

Entries of `ports` with a number on which none of the pods (the selected ones for ingress, those that the peers mean for egress) is known to
listen, and which is the port of a Service of theirs with another `targetPort`.

## Why it matters

Network plugins see packets after the Service's address and port were replaced by the pod's. The rule opens a port that nobody uses, and the
calls are dropped.

## Avoid

```yaml
kind: Service
spec: {ports: [{port: 80, targetPort: 8080}]}
---
kind: NetworkPolicy
spec: {ingress: [{ports: [{port: 80}]}]}
```

## Prefer

```yaml
kind: NetworkPolicy
spec: {ingress: [{ports: [{port: 8080}]}]}
```

## Exceptions

A pod that listens on both ports and declares neither.

## Silent when

One of the pods declares the port, or a Service leads to it; the rule has peers of which the input holds no pod.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.network_policies import DIRECTIONS, is_single, targets_of
from meshcheck.lint.proxies import workload_ports
from meshcheck.lint.repair import replacing
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.core import Service, ServicePort, Workload
from meshcheck.semantics.tracing.server import target_number


@rule("MC708", "netpol-service-port", severity="error", needs="documents")
def check(evidence: Evidence) -> Iterator[Found]:
    """Ports of Services in NetworkPolicies."""
    for policy in evidence.of("NetworkPolicy"):
        for direction in DIRECTIONS:
            for one in policy.rules(direction) if direction in policy.directions else ():
                for span in one.ports:
                    targets = targets_of(evidence, policy, direction, one) if is_single(span) and span.protocol == "TCP" else ()
                    if not targets or any(span.low in workload_ports(evidence, w) for w in targets):
                        continue
                    match = next((m for w in targets for m in _mapped(evidence, w, span.low)), None)
                    if match is not None:
                        service, port, target = match
                        words = f"{span.low} is the port of Service {service.namespace}/{service.name}; its pods listen on {target}, "
                        words += "and network policies see that one: this opens nothing"
                        fix = replacing(policy.meta, (*span.field, "port"), target, f"name the pods' port {target}", safe=False)
                        related = ("the Service's port", service.meta, ("spec", "ports", service.ports.index(port)))
                        yield found(policy.meta, (*span.field, "port"), words, related, fix=fix)


def _mapped(evidence: Evidence, workload: Workload, number: int) -> Iterator[tuple[Service, ServicePort, int]]:
    """Service ports with a number that lead to another port of a workload."""
    for service in evidence.world.services_of(workload):
        for port in service.ports:
            target = target_number(port, workload)
            if port.number == number and port.protocol == "TCP" and target not in (None, number):
                assert target is not None
                yield service, port, target
