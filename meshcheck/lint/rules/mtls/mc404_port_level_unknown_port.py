"""`portLevelMtls` names a port that no selected workload has.

## Finds

Ports of `portLevelMtls` that neither a container of a selected workload declares nor a Service leads to, where the workload declares ports.

## Why it matters

The mode is never applied. Usually the port was renumbered, or the policy was copied.

## Avoid

```yaml
portLevelMtls:
  9999: {mode: PERMISSIVE}   # the pods have 8080 and 9090
```

## Prefer

```yaml
portLevelMtls:
  9090: {mode: PERMISSIVE}
```

## Exceptions

An application that listens on the port without declaring it.

## Silent when

The workload or a Service of it may be elsewhere (open world); no port of the workload is known; the port is that of a Service (MC405).
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.peer_ports import port_modes
from meshcheck.lint.proxies import listed, workload_ports
from meshcheck.lint.rule import Found, found, rule


@rule("MC404", "port-level-unknown-port", severity="warning", needs="absence", confidence="medium", kinds=("Workload", "Service"))
def check(evidence: Evidence) -> Iterator[Found]:
    """Modes for ports that nobody has."""
    for item in port_modes(evidence):
        known = [port for w in item.selected for port in workload_ports(evidence, w)]
        if item.service is None and all(workload_ports(evidence, w) for w in item.selected):
            message = f"{listed(item.selected)} has no port {item.port} (known ports: {listed(sorted(set(known)), 6)}): never applied"
            yield found(item.policy.meta, item.field, message)
