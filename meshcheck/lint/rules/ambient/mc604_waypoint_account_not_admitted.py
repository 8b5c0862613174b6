"""The workload's own policies do not admit its waypoint, so every call through it is a 503.

## Finds

Workloads in ambient mode whose Service uses a waypoint, where the policies that ztunnel applies to the pods (those with a selector or for
the whole namespace) admit the original callers, or nobody, and not the account of the waypoint.

## Why it matters

Behind a waypoint ztunnel sees the waypoint as the caller: its identity, its address. The original caller is not to be known there. A rule
that names it never matches again, and the waypoint answers 503 to everybody.

## Avoid

```yaml
kind: AuthorizationPolicy      # the Service uses the waypoint `wp`
spec:
  selector: {matchLabels: {app: cart}}
  rules: [{from: [{source: {principals: ["cluster.local/ns/shop/sa/web"]}}]}]
```

## Prefer

```yaml
kind: AuthorizationPolicy      # at the pods: only the waypoint
spec:
  selector: {matchLabels: {app: cart}}
  rules: [{from: [{source: {principals: ["cluster.local/ns/shop/sa/wp"]}}]}]
---
kind: AuthorizationPolicy      # at the waypoint: the callers
spec:
  targetRefs: [{group: "", kind: Service, name: cart}]
  rules: [{from: [{source: {principals: ["cluster.local/ns/shop/sa/web"]}}]}]
```

## Exceptions

istiod with `PILOT_AUTO_ALLOW_WAYPOINT_POLICY`, which adds a rule for the waypoint by itself.

## Silent when

A rule may match the waypoint's address; the waypoint is not Istio's own; not all policies are known. A policy that the waypoint's own
policies make unreachable is not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.ambient import bound_to, captured, sent_to, translated
from meshcheck.lint.evidence import Evidence
from meshcheck.lint.proxies import listed
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.core import Service, Workload
from meshcheck.model.gateway_api import Gateway
from meshcheck.model.istio_security import AuthorizationPolicy
from meshcheck.model.objects import ObjectRef, Path
from meshcheck.semantics.ambient.waypoints import account
from meshcheck.semantics.ambient.ztunnel import Peer
from meshcheck.semantics.tracing.server import target_number

_KINDS = ("AuthorizationPolicy", "Gateway", "Service", "Workload", "Namespace")


@rule("MC604", "waypoint-account-not-admitted", severity="error", needs="absence", kinds=_KINDS)
def check(evidence: Evidence) -> Iterator[Found]:
    """Workloads that refuse their waypoint; one finding for each policy and waypoint."""
    hurt: dict[tuple[ObjectRef, ObjectRef], tuple[AuthorizationPolicy, Gateway, list[Workload]]] = {}
    for workload in captured(evidence):
        allow = [p for p in sent_to(evidence, workload) if p.action == "ALLOW"]
        for service in evidence.world.services_of(workload) if allow else ():
            gateway = bound_to(evidence, service)
            if gateway is not None and _refused(evidence, workload, service, gateway, allow):
                first = next((p for p in allow if p.rules), allow[0])
                _, _, workloads = hurt.setdefault((first.meta.ref, gateway.meta.ref), (first, gateway, []))
                workloads.append(workload)
    for policy, gateway, workloads in hurt.values():
        name = f"{gateway.meta.namespace}/sa/{account(gateway)}"
        words = f"every call through the waypoint `{gateway.meta.name}` to {listed(workloads)} is a 503: "
        words += f"ztunnel sees the waypoint as the caller, and no ALLOW policy admits its account `…/ns/{name}`"
        yield found(policy.meta, _place(policy), words, ("the waypoint", gateway.meta, ("metadata", "name")))


def _refused(evidence: Evidence, workload: Workload, service: Service, gateway: Gateway, allow: list[AuthorizationPolicy]) -> bool:
    """Whether no rule admits the waypoint on any port of the Service."""
    mesh = evidence.world.mesh
    peer = Peer(mesh.trust_domain if mesh.known else None, gateway.meta.namespace, account(gateway))
    numbers = [n for p in service.ports if p.protocol == "TCP" and (n := target_number(p, workload)) is not None]
    rules = [one for policy in allow for one in translated(evidence, policy)]
    return bool(numbers) and all(r.holds(peer, n) is False for r in rules for n in numbers)


def _place(policy: AuthorizationPolicy) -> Path:
    """The first source that is named; else the policy's rules."""
    for one in policy.rules:
        for source in one.sources:
            for field in source:
                return field.path
    return ("spec", "rules") if policy.rules else ("spec",)
