"""A port says nothing of its protocol, and policies with HTTP attributes hang on it.

## Finds

Service ports without a protocol that Istio knows (no `appProtocol`, no name such as `http` or `grpc-web`), for workloads to which a policy
with methods, paths, hosts, headers or tokens applies.

## Why it matters

The sidecar guesses the protocol of each connection. What it does not take for HTTP is judged by TCP rules: an ALLOW with a path does not
match there, a DENY with a path denies everything.

## Avoid

```yaml
ports: [{name: web, port: 80}]
```

## Prefer

```yaml
ports: [{name: http-web, port: 80}]
```

## Exceptions

Ports that really speak several protocols.

## Silent when

No policy with HTTP attributes applies to the workload, or it is not known whether it has a sidecar.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.ports import service_ports
from meshcheck.lint.proxies import servers
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.core import Workload
from meshcheck.semantics.gateway.pods import is_gateway
from meshcheck.semantics.port_protocol import DETECTED, protocol_of
from meshcheck.semantics.tracing.proxies import compiled
from meshcheck.semantics.tracing.server import bypasses_sidecar, target_number
from meshcheck.semantics.world.sidecars import sidecar_of


@rule("MC901", "protocol-undeclared", severity="info", needs="documents")
def check(evidence: Evidence) -> Iterator[Found]:
    """Ports whose protocol is guessed."""
    seen = set()
    for workload in servers(evidence):
        if is_gateway(workload) or not sidecar_of(evidence.world, workload).present:
            continue
        for service, port in service_ports(evidence, workload):
            number, key = target_number(port, workload), (service.meta.ref, port.number)
            bypassed = number is not None and bypasses_sidecar(workload, number)
            if port.protocol != "TCP" or protocol_of(port) != DETECTED or bypassed or key in seen:
                continue
            policy = _reading_http(evidence, workload)
            if policy is not None:
                seen.add(key)
                message = f"the protocol of port {port.number} is guessed, and AuthorizationPolicy {policy} looks at HTTP: name it `http-…`"
                yield found(service.meta, ("spec", "ports", service.ports.index(port)), message)


def _reading_http(evidence: Evidence, workload: Workload) -> str | None:
    """A policy of a workload that looks at HTTP."""
    if not evidence.world.authorization_policies(workload):
        return None
    policies = compiled(evidence.world, workload, False)
    found = next((r.policy.meta for r in (*policies.allow, *policies.deny, *policies.custom) if r.dropped), None)
    return f"{found.namespace}/{found.name}" if found is not None else None
