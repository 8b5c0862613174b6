"""A DENY rule loses its HTTP attributes on a TCP port, so it refuses more than it says.

## Finds

DENY rules with `methods`, `paths`, `hosts`, headers or tokens that apply to a sidecar's port whose Service declares TCP, and that do not
keep that port out with `ports`.

## Why it matters

On a TCP port the sidecar sees connections, not requests. Istio drops what it cannot check there and enforces the rest: a DENY of `DELETE`
becomes a DENY of every connection.

## Avoid

```yaml
kind: Service
spec:
  ports: [{name: http, port: 8080}, {name: tcp-replica, port: 9000}]
---
action: DENY
rules:
- to: [{operation: {methods: [DELETE]}}]
```

## Prefer

```yaml
rules:
- to: [{operation: {methods: [DELETE], ports: ["8080"]}}]
```

## Exceptions

A TCP port to which the rule's callers must not connect anyway.

## Silent when

The Service is not in the input, or its port's protocol is detected. Rules on ports that are read as HTTP.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.partial_calls import call_with
from meshcheck.lint.plaintext import sidecar_ports
from meshcheck.lint.ports import Port
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.core import Workload
from meshcheck.model.istio_security import AuthorizationPolicy
from meshcheck.semantics.authorization.policies import CompiledRule
from meshcheck.semantics.port_protocol import TCP
from meshcheck.semantics.tracing.proxies import compiled


@rule("MC236", "l7-on-tcp-deny", severity="warning", needs="documents")
def check(evidence: Evidence) -> Iterator[Found]:
    """DENY rules that are wider on TCP ports, each once."""
    for policy in evidence.of("AuthorizationPolicy"):
        if policy.action != "DENY" or policy.dry_run:
            continue
        said: set[int] = set()
        for workload, port in sidecar_ports(evidence, policy):
            if port.protocol == TCP:
                for one in compiled(evidence.world, workload, False).deny:
                    matches = one.policy is policy and one.dropped and one.rule.index not in said
                    if matches and one.holds(call_with(http=False, destination_port=port.number)) is not False:
                        said.add(one.rule.index)
                        yield _widened(policy, workload, port, one)


def _widened(policy: AuthorizationPolicy, workload: Workload, port: Port, one: CompiledRule) -> Found:
    field = one.dropped[0].field
    name = port.service_port.name if port.service_port else ""
    where = f"port {port.number} of {workload}, which is TCP" + (f" (Service port `{name}`)" if name else "")
    rest = [
        t for group in (*one.sources, *one.operations, one.conditions) for t in group if t.field.name not in ("ports", "destination.port")
    ]
    whom = "what is left of this rule" if rest else "every connection"
    key = "when" if field.path[-1] in ("values", "notValues") else field.path[-1]
    words = f"refuses {whom} at {where}: `{key}` cannot be checked there and is dropped; name the HTTP ports in `ports`"
    return found(policy.meta, field.path, words)
