"""A label asks for a waypoint that is for other calls, so the detour is not taken.

## Finds

Services with the label `istio.io/use-waypoint` of a waypoint that is for `workload` or `none`, and pods with the label of a waypoint that
is for `service` (which is what a waypoint without the label `istio.io/waypoint-for` is for).

## Why it matters

A waypoint takes calls to Services, or calls to addresses of pods, as its label says. The other calls go straight to the pod, past all
policies of the waypoint.

## Avoid

```yaml
kind: Gateway
metadata: {name: wp}                            # for Services
---
kind: Deployment
spec: {template: {metadata: {labels: {istio.io/use-waypoint: wp}}}}
```

## Prefer

```yaml
kind: Gateway
metadata: {name: wp, labels: {istio.io/waypoint-for: all}}
```

## Exceptions

None.

## Silent when

The waypoint is not in the input. Labels of a Namespace are left alone: they are for whatever the waypoint takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from meshcheck.lint.ambient import label_path
from meshcheck.lint.evidence import Evidence
from meshcheck.lint.proxies import servers
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.objects import Meta, Path
from meshcheck.semantics.ambient.waypoints import USE, binding, is_waypoint, traffic

_WHAT = {"service": "calls to a Service", "workload": "calls to the address of a pod"}


@rule("MC608", "waypoint-traffic-type", severity="warning", needs="absence", kinds=("Gateway", "GatewayClass"))
def check(evidence: Evidence) -> Iterator[Found]:
    """Labels that have no effect."""
    for service in evidence.world.services:
        yield from _label(evidence, service.meta, service.meta.labels, "service", ("metadata", "labels", USE))
    for workload in servers(evidence):
        yield from _label(evidence, workload.meta, workload.pod_labels, "workload", label_path(workload, USE))


def _label(evidence: Evidence, meta: Meta, labels: Mapping[str, str], kind: str, field: Path) -> Iterator[Found]:
    if USE not in labels:
        return
    at = binding(evidence.world, labels, meta.namespace, "service" if kind == "service" else "workload")
    if at.problem == "other traffic" and at.gateway is not None and is_waypoint(evidence.world, at.gateway):
        words = f"the waypoint `{at.gateway.meta.name}` is for `{traffic(evidence.world, at.gateway)}`, not for {_WHAT[kind]}: "
        words += "the label has no effect, and no call takes the detour"
        yield found(meta, field, words, ("the waypoint", at.gateway.meta, ("metadata", "name")))
