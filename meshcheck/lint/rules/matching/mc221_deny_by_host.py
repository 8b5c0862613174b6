"""A DENY at a sidecar hangs on the Host header, which the caller writes.

## Finds

Rules of DENY policies with `hosts` that apply to a workload with a sidecar, where a request with another Host header is not refused.

## Why it matters

A sidecar serves its workload whatever the Host header says. Whoever knows the address of the pod, or a second name of the Service, sends
another header and is not refused.

## Avoid

```yaml
action: DENY
rules: [{to: [{operation: {hosts: [admin.example.com]}}]}]
```

## Prefer

```yaml
action: DENY
rules: [{to: [{operation: {paths: [/admin/*]}}]}]   # or the policy at the gateway, whose routes go by host
```

## Exceptions

Applications that serve something else under other names (virtual hosts).

## Silent when

The workload is not in the input. Gateways, and workloads whose ALLOW policies ask for hosts of their own.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.partial_calls import call_with
from meshcheck.lint.plaintext import sidecar_ports
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.core import Workload
from meshcheck.model.istio_security import AuthorizationPolicy
from meshcheck.semantics.authorization import evaluate
from meshcheck.semantics.port_protocol import TCP
from meshcheck.semantics.tracing.proxies import compiled

_OTHER = "another-name.invalid"


@rule("MC221", "deny-by-host", severity="warning", confidence="medium", needs="documents", audience="security")
def check(evidence: Evidence) -> Iterator[Found]:
    """DENY rules that another Host header escapes."""
    for policy in evidence.of("AuthorizationPolicy"):
        fields = [f for one in policy.rules for group in one.operations for f in group if f.name == "hosts" and not f.negated]
        if policy.action != "DENY" or policy.dry_run or not fields:
            continue
        workload = _escaped(evidence, policy)
        for field in fields if workload is not None else ():
            if "*" not in field.values:
                words = (
                    f"a caller that sends another Host header to {workload} is not refused: a sidecar serves its workload under any name"
                )
                yield found(policy.meta, field.path, words)


def _escaped(evidence: Evidence, policy: AuthorizationPolicy) -> Workload | None:
    """A workload at which another Host header may get through."""
    for workload, port in sidecar_ports(evidence, policy):
        if port.protocol != TCP:
            call, policies = call_with(http=True, authority=_OTHER, destination_port=port.number), compiled(evidence.world, workload, True)
            if evaluate.deny(policies, call).allowed is not False and evaluate.allow(policies, call).allowed is not False:
                return workload
    return None
