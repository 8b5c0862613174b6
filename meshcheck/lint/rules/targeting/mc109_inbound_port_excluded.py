"""A policy is about a port that an annotation keeps away from the sidecar, so it is not enforced there.

## Finds

AuthorizationPolicies that name a port in `ports` or `destination.port`, and PeerAuthentications that name one in `portLevelMtls`, where
`traffic.sidecar.istio.io/excludeInboundPorts` or `includeInboundPorts` of a selected workload takes that port away from the sidecar. Also
policies without ports where all ports to which Services lead are taken away.

## Why it matters

Calls to the port reach the application without passing the sidecar: no policy, no token check and no mTLS on it.

## Avoid

```yaml
metadata:
  annotations: {traffic.sidecar.istio.io/excludeInboundPorts: "8080"}
---
ports: ["8080"]
```

## Prefer

```yaml
metadata:
  annotations: {traffic.sidecar.istio.io/excludeInboundPorts: "9090"}
---
ports: ["8080"]
```

## Exceptions

None that is known.

## Silent when

The workload is not in the input, or is not known to have a sidecar.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.ports import all_past_the_sidecar, named_ports, past_the_sidecar
from meshcheck.lint.rule import Found, found, rule
from meshcheck.lint.selection import applies_to, selected_by
from meshcheck.model.core import Workload
from meshcheck.model.objects import Meta, Path
from meshcheck.semantics.world.sidecars import sidecar_of

_NOTES = ("traffic.sidecar.istio.io/excludeInboundPorts", "traffic.sidecar.istio.io/includeInboundPorts")


@rule("MC109", "inbound-port-excluded", severity="error", needs="documents")
def check(evidence: Evidence) -> Iterator[Found]:
    """Ports of policies that the sidecar never sees."""
    for policy in evidence.of("AuthorizationPolicy"):
        for workload in filter(_has_note, applies_to(evidence, policy)):
            if sidecar_of(evidence.world, workload).present:
                fields = [f for r in policy.rules for group in (*r.operations, r.conditions) for f in group]
                named = [(f.path, number) for f in fields for number in named_ports([f])]
                out = [(path, number) for path, number in named if past_the_sidecar(workload, number)]
                if out:
                    yield from (_port(policy.meta, path, number, workload) for path, number in out)
                elif not named and (numbers := all_past_the_sidecar(evidence, workload)):
                    yield _whole(policy.meta, numbers, workload)
    for policy in evidence.of("PeerAuthentication"):
        for workload in filter(_has_note, selected_by(evidence, policy)):
            if sidecar_of(evidence.world, workload).present:
                path = ("spec", "portLevelMtls")
                yield from (_port(policy.meta, (*path, str(n)), n, workload) for n in policy.ports if past_the_sidecar(workload, n))


def _has_note(workload: Workload) -> bool:
    return any(note in workload.pod_annotations for note in _NOTES)


def _port(meta: Meta, path: Path, port: int, workload: Workload) -> Found:
    words = f"port {port} of {workload} is kept away from the sidecar by an annotation, so nothing is enforced on it"
    return found(meta, path, words, _note(workload))


def _whole(meta: Meta, ports: list[int], workload: Workload) -> Found:
    numbers = ", ".join(map(str, ports))
    words = f"all ports of {workload} ({numbers}) are kept away from the sidecar by an annotation, so nothing is enforced there"
    return found(meta, ("spec",), words, _note(workload))


def _note(workload: Workload) -> tuple[str, Meta, Path]:
    name = next(note for note in _NOTES if note in workload.pod_annotations)
    inside = ("metadata", "annotations", name)
    return "the annotation", workload.meta, inside if workload.kind == "Pod" else ("spec", "template", *inside)
