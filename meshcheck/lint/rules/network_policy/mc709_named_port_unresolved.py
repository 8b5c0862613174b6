"""A named port of a NetworkPolicy exists on no pod that it is about.

## Finds

Entries of `ports` with a name that none of the pods declares: the selected ones for ingress, those that the peers mean for egress.

## Why it matters

A name is looked up among the container ports of the pod that is called. One that no pod has opens nothing, without an error.

## Avoid

```yaml
containers: [{ports: [{name: http-web, containerPort: 8080}]}]
---
ingress: [{ports: [{port: http}]}]
```

## Prefer

```yaml
ingress: [{ports: [{port: http-web}]}]
```

## Exceptions

Ports of containers that are injected: pods that get a sidecar are left alone where the name is one of the sidecar's.

## Silent when

The world is open; the pods are not in the input; one of them has the name, even for another protocol.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.network_policies import DIRECTIONS, targets_of
from meshcheck.lint.repair import replacing
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.core import Workload
from meshcheck.semantics.world.names import nearest

_INJECTED = ("http-envoy-prom", "status-port")


@rule("MC709", "named-port-unresolved", severity="error", needs="absence", kinds=("Workload", "Namespace"))
def check(evidence: Evidence) -> Iterator[Found]:
    """Names that no pod has."""
    for policy in evidence.of("NetworkPolicy"):
        for direction in DIRECTIONS:
            for one in policy.rules(direction) if direction in policy.directions else ():
                for span in one.ports:
                    name = span.name
                    targets = targets_of(evidence, policy, direction, one) if name and name not in _INJECTED else ()
                    names = {p.name for w in targets for p in w.ports if p.name}
                    if not targets or name is None or name in names:
                        continue
                    near = nearest(name, sorted(names))
                    words = (
                        f"no pod that this is about has a port named `{name}`, so it opens nothing{_hint(evidence, targets, name, near)}"
                    )
                    fix = replacing(policy.meta, (*span.field, "port"), near, f"name the port `{near}`", safe=False) if near else None
                    related = ("one of the pods", targets[0].meta, ("metadata", "name"))
                    yield found(policy.meta, (*span.field, "port"), words, related, fix=fix)


def _hint(evidence: Evidence, targets: tuple[Workload, ...], name: str, near: str | None) -> str:
    if near:
        return f"; did you mean `{near}`?"
    service = next((s for w in targets for s in evidence.world.services_of(w) if any(p.name == name for p in s.ports)), None)
    return f"; it is a name of Service {service.namespace}/{service.name}, which network policies do not know" if service else ""
