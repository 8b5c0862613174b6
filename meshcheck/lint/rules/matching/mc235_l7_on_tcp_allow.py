"""An ALLOW rule with HTTP attributes is dropped on a TCP port, so the port answers with a reset.

## Finds

ALLOW rules with `methods`, `paths`, `hosts`, headers or tokens that apply to a sidecar's port whose Service declares TCP (`tcp-…`, `https`,
a database), where the rule names the port, or where no other rule admits anybody to it.

## Why it matters

On a TCP port the sidecar sees connections, not requests. Istio leaves out ALLOW rules that it cannot check there, and what no rule allows
is refused: every connection is closed.

## Avoid

```yaml
kind: Service
spec:
  ports: [{name: tcp-api, port: 8080}]
---
rules:
- to: [{operation: {methods: [GET], ports: ["8080"]}}]
```

## Prefer

```yaml
kind: Service
spec:
  ports: [{name: http-api, port: 8080}]
```

## Exceptions

A TCP port beside an HTTP port that is meant to be closed: that finding has medium confidence.

## Silent when

The Service is not in the input, or its port's protocol is detected.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.partial_calls import call_with
from meshcheck.lint.plaintext import sidecar_ports
from meshcheck.lint.ports import PORT_FIELDS, Port, named_ports
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.core import Workload
from meshcheck.model.istio_security import AuthorizationPolicy
from meshcheck.semantics.authorization import evaluate
from meshcheck.semantics.authorization.policies import CompiledRule
from meshcheck.semantics.port_protocol import TCP
from meshcheck.semantics.tracing.proxies import compiled


@rule("MC235", "l7-on-tcp-allow", severity="error", needs="documents")
def check(evidence: Evidence) -> Iterator[Found]:
    """ALLOW rules that are left out on TCP ports, each once."""
    for policy in evidence.of("AuthorizationPolicy"):
        if policy.action != "ALLOW" or policy.dry_run:
            continue
        said: set[int] = set()
        ports = list(sidecar_ports(evidence, policy))
        for workload, port in ports:
            if port.protocol != TCP:
                continue
            for one in compiled(evidence.world, workload, False).allow:
                if one.policy is policy and one.impossible and one.rule.index not in said:
                    other = any(w is workload and p.protocol != TCP for w, p in ports)
                    if item := _dropped(evidence, policy, workload, port, one, other):
                        said.add(one.rule.index)
                        yield item


def _dropped(
    evidence: Evidence, policy: AuthorizationPolicy, workload: Workload, port: Port, one: CompiledRule, other: bool
) -> Found | None:
    """What becomes of one rule at one TCP port. `other`: the workload has ports that are read as HTTP, too."""
    field = one.dropped[0].field
    fields = [f for group in (*one.rule.operations, one.rule.conditions) for f in group if f.name in PORT_FIELDS]
    name = port.service_port.name if port.service_port else ""
    what = f"port {port.number} of {workload} is TCP" + (f" (Service port `{name}`)" if name else "")
    if port.number in named_ports(fields):
        return found(policy.meta, field.path, f"this rule admits nobody: {what}, where `{_name(field.path)}` cannot be checked")
    if (
        fields
        or evaluate.allow(compiled(evidence.world, workload, False), call_with(http=False, destination_port=port.number)).allowed
        is not False
    ):
        return None
    words = f"every connection to it is reset: {what}, where `{_name(field.path)}` cannot be checked, so this rule is left out there"
    if other:
        return found(policy.meta, field.path, words, severity="warning", confidence="medium")
    return found(policy.meta, field.path, words)


def _name(path: tuple[str | int, ...]) -> str:
    return "when" if path[-1] in ("values", "notValues") else str(path[-1])
