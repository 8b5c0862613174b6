"""A Service leads to a named port that no pod behind it has.

## Finds

`targetPort` names that no container of the selected pods declares. Numbers need not be declared and are not looked at.

## Why it matters

The port of the Service has no endpoints: callers get 503 or a refused connection, with all pods running.

## Avoid

```yaml
kind: Service
spec: {ports: [{port: 80, targetPort: web}]}        # the container's port is named http
```

## Prefer

```yaml
spec: {ports: [{port: 80, targetPort: http}]}
```

## Exceptions

None: Kubernetes looks the name up in each pod.

## Silent when

The world is open, or no pod is selected at all (MC903).
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.proxies import listed
from meshcheck.lint.repair import replacing
from meshcheck.lint.rule import Found, found, rule
from meshcheck.semantics.tracing.server import target_number
from meshcheck.semantics.world.names import nearest


@rule("MC904", "target-port-missing", severity="warning", needs="absence", kinds=("Workload",))
def check(evidence: Evidence) -> Iterator[Found]:
    """Names of ports that nobody has."""
    world = evidence.world
    for service in world.services:
        pods = world.pods_of(service)
        for number, port in enumerate(service.ports):
            if not pods or isinstance(port.target, int) or any(target_number(port, pod) is not None for pod in pods):
                continue
            names = sorted({p.name for pod in pods for p in pod.ports if p.name})
            near = nearest(port.target, names)
            hint = f"; did you mean `{near}`?" if near else f" (they have {listed(names, 5)})" if names else ""
            message = f"no container of {listed(pods)} has a port named `{port.target}`{hint}: port {port.number} leads nowhere"
            field = ("spec", "ports", number, "targetPort")
            fix = replacing(service.meta, field, near, f"lead to port `{near}`", safe=False) if near else None
            yield found(service.meta, field, message, ("the pods", pods[0].meta, ("metadata", "name")), fix=fix)
