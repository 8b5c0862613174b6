"""A way from outside reaches a workload, and no policy on any hop looks at the call.

## Finds

Gateways with routes, Ingresses, and Services with an address outside, through which a call without credentials gets to a workload, and
neither the gateway nor the workload has an AuthorizationPolicy, a RequestAuthentication, or credentials and access lists of the controller.

## Why it matters

Everybody who knows the address gets in. Where other workloads of the mesh have policies, a door without any is more often forgotten than
meant.

## Avoid

```yaml
kind: VirtualService                   # admin.example.com → admin, with no policy for admin or the gateway
```

## Prefer

```yaml
kind: AuthorizationPolicy
metadata: {namespace: shop}
spec:
  selector: {matchLabels: {app: admin}}
  rules: [{from: [{source: {requestPrincipals: ["https://login.example.com/*"]}}]}]
```

## Exceptions

What is public on purpose: say so with a policy that allows everything (`rules: [{}]`), which is then a decision that can be read.

## Silent when

Policies may be elsewhere (open world); something on the way is not known; the mesh has no AuthorizationPolicy at all
(`meshcheck graph --exposed` lists all doors).
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.entrances import entrances
from meshcheck.lint.evidence import Evidence
from meshcheck.lint.proxies import listed
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.core import Workload
from meshcheck.model.objects import Meta
from meshcheck.model.trace import ALLOWED, Trace

_KINDS = ("AuthorizationPolicy", "RequestAuthentication", "Workload", "Service")
_GUARDS = frozenset(["custom", "request-authentication", "authorization", "access", "application", "extensions", "load-balancer", "tls"])
"""Stations that ask who calls."""


@rule("MC817", "exposed-without-policy", severity="warning", needs="absence", kinds=_KINDS, confidence="medium", audience="security")
def check(evidence: Evidence) -> Iterator[Found]:
    """Open doors."""
    if not any(p.action != "AUDIT" and not p.dry_run for p in evidence.of("AuthorizationPolicy")):
        return
    doors: dict[tuple[object, str], tuple[Meta, str, list[str]]] = {}
    for way, answer in entrances(evidence):
        workload = _unguarded(evidence, answer)
        if workload is not None:
            doors.setdefault((way.owner.ref, workload), (way.owner, workload, []))[2].append(f"{way.address} {way.path}")
    for owner, workload, ways in doors.values():
        message = f"everybody gets from outside to {workload} through this, without any policy on the way: {listed(ways, 2)}"
        yield found(owner, ("metadata", "name"), message)


def _unguarded(evidence: Evidence, answer: Trace) -> str | None:
    """The workload that a call reaches without being looked at; None where something looks, or the call is answered before."""
    reached = answer.reached
    if answer.verdict != ALLOWED or reached is None or not reached.workload or answer.decided_at is not None:
        return None
    for hop in answer.hops:
        for station in hop.stations:
            if station.name in _GUARDS and (station.policies or station.name in ("access", "application")):
                return None
            gateway = evidence.world.find_workload(*(station.workload or "").partition("/")[::2]) if station.workload else None
            if gateway is not None and _has_policy(evidence, gateway):
                return None
    server = evidence.world.find_workload(reached.namespace or "", reached.workload)
    if server is None or _has_policy(evidence, server):
        return None
    return str(server)


def _has_policy(evidence: Evidence, workload: Workload) -> bool:
    world = evidence.world
    policies = world.authorization_policies(workload)
    return bool(world.request_authentications(workload)) or any(p.action != "AUDIT" and not p.dry_run for p in policies)
