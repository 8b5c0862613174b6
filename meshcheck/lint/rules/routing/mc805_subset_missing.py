"""A route names a subset that no DestinationRule declares, or that has no pods.

## Finds

Subsets in destinations of VirtualServices that no DestinationRule for the host declares, and subsets whose labels no pod of the Service
has.

## Why it matters

The proxy answers 503: `NC` where the subset is not declared, `UH` where it has no pods. Traffic that is split by weight fails in part,
which looks like a flaky application.

## Avoid

```yaml
kind: VirtualService
spec: {http: [{route: [{destination: {host: web, subset: v2}}]}]}
---
kind: DestinationRule
spec: {host: web, subsets: [{name: v1, labels: {version: v1}}]}
```

## Prefer

```yaml
kind: DestinationRule
spec: {host: web, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]}
```

## Exceptions

A subset that gets its pods with the next deployment: its route has weight 0 until then, and is left out here.

## Silent when

DestinationRules or pods may be elsewhere (open world); the host is no Service with a selector; labels that endpoints have and pods do not
(`topology.…`).
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.gateway_routes import destination_of
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.core import Service
from meshcheck.model.istio_networking import Destination, DestinationRule, Subset, VirtualService
from meshcheck.semantics.attachment import selects
from meshcheck.semantics.routing.selection import full_name, host_covers
from meshcheck.semantics.world.names import nearest


@rule("MC805", "subset-missing", severity="error", needs="absence", kinds=("DestinationRule", "Workload", "Service"))
def check(evidence: Evidence) -> Iterator[Found]:
    """Subsets without a declaration or without pods."""
    for virtual in evidence.of("VirtualService"):
        for route in (*virtual.http, *virtual.tcp, *virtual.tls):
            for to in route.destinations:
                service = destination_of(evidence, virtual.meta, to).service if to.subset else None
                if service is not None and (to.weight or len(route.destinations) == 1):
                    yield from _judged(evidence, virtual, to, service)


def _judged(evidence: Evidence, virtual: VirtualService, to: Destination, service: Service) -> Iterator[Found]:
    rules = _rules(evidence, service)
    declared = [(rule, subset) for rule in rules for subset in rule.subsets if subset.name == to.subset]
    field = (*to.field, "subset")
    if not declared:
        names = sorted({subset.name for rule in rules for subset in rule.subsets})
        near = nearest(to.subset or "", names)
        hint = f"; did you mean `{near}`?" if near else f" (declared: {', '.join(names)})" if names else ""
        message = f"no DestinationRule declares subset `{to.subset}` of {service.host}{hint}: callers get 503"
        yield found(virtual.meta, field, message, *(("for this host", rule.meta, ("spec", "subsets")) for rule in rules[:1]))
    elif service.selector and not any(_has_pods(evidence, service, subset) for _, subset in declared):
        rule = declared[0][0]
        where = ("spec", "subsets", rule.subsets.index(declared[0][1]), "labels")
        message = f"no pod of {service.namespace}/{service.name} has the labels of subset `{to.subset}`: callers get 503"
        yield found(virtual.meta, field, message, ("its labels", rule.meta, where))


def _has_pods(evidence: Evidence, service: Service, subset: Subset) -> bool:
    pods = evidence.world.pods_of(service)
    of_endpoints = any(label.startswith("topology.") for label in subset.labels)
    return of_endpoints or not pods or any(selects(subset.labels, pod.pod_labels) for pod in pods)


def _rules(evidence: Evidence, service: Service) -> tuple[DestinationRule, ...]:
    """The DestinationRules for a Service, whoever sees them."""
    exact, wide = evidence.once("destination rules by host", lambda: _by_host(evidence))
    return (*exact.get(service.host, ()), *(rule for host, rule in wide if host_covers(host, service.host)))


def _by_host(evidence: Evidence) -> tuple[dict[str, list[DestinationRule]], list[tuple[str, DestinationRule]]]:
    """Rules for one host by that host; and those for many."""
    exact: dict[str, list[DestinationRule]] = {}
    wide: list[tuple[str, DestinationRule]] = []
    for one in evidence.of("DestinationRule"):
        host = full_name(one.host, one.meta.namespace)
        if host.startswith("*"):
            wide.append((host, one))
        else:
            exact.setdefault(host, []).append(one)
    return exact, wide
