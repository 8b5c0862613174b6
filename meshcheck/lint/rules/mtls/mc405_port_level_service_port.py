"""`portLevelMtls` names the Service's port; it means the workload's.

## Finds

Ports of `portLevelMtls` that are a port of a Service of a selected workload which leads to another port, and that the workload itself does
not have.

## Why it matters

The sidecar knows ports of the pod. A mode for a port that the pod does not have is never applied: the port that was meant keeps the mode of
the workload.

## Avoid

```yaml
portLevelMtls:
  80: {mode: DISABLE}      # the Service's port 80 leads to port 8080 of the pod
```

## Prefer

```yaml
portLevelMtls:
  8080: {mode: DISABLE}
```

## Exceptions

An application that listens on the port without declaring it.

## Silent when

No selected workload, or no Service of it, is known.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.peer_ports import PortMode, port_modes
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.json_patch import pointer
from meshcheck.model.trace import Fix


@rule("MC405", "port-level-service-port", severity="error", needs="documents")
def check(evidence: Evidence) -> Iterator[Found]:
    """Modes for ports of Services."""
    for item in port_modes(evidence):
        if item.service is not None and item.target is not None:
            name = f"{item.service.namespace}/{item.service.name}"
            message = f"port {item.port} is Service {name}'s; on the pods it is {item.target}, which keeps the mode of the workload"
            yield found(item.policy.meta, item.field, message, ("the Service", item.service.meta, ("spec", "ports")), fix=_fix(item))


def _fix(item: PortMode) -> Fix | None:
    if item.target in item.policy.ports:
        return None
    mode = {"mode": item.policy.ports[item.port]}
    steps = (
        {"op": "remove", "path": pointer(item.field)},
        {"op": "add", "path": pointer((*item.field[:-1], str(item.target))), "value": mode},
    )
    return Fix(f"name port {item.target}", ((item.policy.meta.ref, steps),), safe=False)
