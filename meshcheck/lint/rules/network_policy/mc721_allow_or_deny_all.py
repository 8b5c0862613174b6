"""A rule admits everything and so makes other rules void, or a workload with a Service is closed for everybody.

## Finds

- Rules without peers and without ports beside narrower rules of the same direction, in the same policy or in others for the same pods.
- Policies that close a workload for ingress without a rule of their own, where no other policy opens it and a Service leads to it.

## Why it matters

Policies add up, so one rule that admits everything makes all others for the same pods void. And a default-deny that nobody has opened for a
workload yet drops every call to its Service.

## Avoid

```yaml
spec:
  podSelector: {matchLabels: {app: cart}}
  ingress: [{}, {from: [{podSelector: {matchLabels: {app: web}}}]}]
```

## Prefer

```yaml
spec:
  podSelector: {matchLabels: {app: cart}}
  ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 8080}]}]
```

## Exceptions

A workload that is switched off on purpose.

## Silent when

All traffic is admitted and no other rule says otherwise: then it is plainly meant. About closed workloads: other policies or workloads may
be elsewhere (open world), or an admin policy may decide before.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.network_policies import DIRECTIONS, decided_elsewhere, isolating, selected
from meshcheck.lint.proxies import listed
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.core import Workload
from meshcheck.model.network_policy import INGRESS, NetworkPolicy, PolicyRule


@rule("MC721", "allow-or-deny-all", severity="info", needs="document", audience="security")
def check(evidence: Evidence) -> Iterator[Found]:
    """Rules that make others void, then workloads that nothing opens."""
    for policy in evidence.of("NetworkPolicy"):
        for direction in DIRECTIONS:
            for one in policy.rules(direction) if direction in policy.directions else ():
                void = _void(evidence, policy, direction) if _is_everything(one) else None
                if void is not None:
                    other, narrower = void
                    where = "beside it" if other is policy else f"of {other.meta.namespace}/{other.meta.name}"
                    message = f"a rule without peers and ports admits all {direction}, so the narrower rules {where} restrict nothing"
                    yield found(policy.meta, one.field, message, ("such a rule", other.meta, narrower.field))
    complete = evidence.world.complete("NetworkPolicy", "Workload", "ClusterNetworkPolicy", "AdminNetworkPolicy")
    if not complete or decided_elsewhere(evidence):
        return
    seen: set[int] = set()
    for policy in evidence.of("NetworkPolicy"):
        closed = [w for w in selected(evidence, policy) if id(w) not in seen and _is_closed(evidence, w)] if not policy.ingress else []
        if closed and INGRESS in policy.directions:
            seen |= {id(w) for w in closed}
            message = f"closes {listed(closed)} for every call, and no other policy opens it: a Service leads there"
            yield found(policy.meta, ("spec", "podSelector"), message)


def _is_closed(evidence: Evidence, workload: Workload) -> bool:
    """Whether no policy admits anything to a workload to which a Service leads."""
    policies = isolating(evidence, workload, INGRESS)
    return bool(policies and evidence.world.services_of(workload)) and not any(p.ingress for p in policies)


def _is_everything(one: PolicyRule) -> bool:
    return not one.peers and not one.ports


def _void(evidence: Evidence, policy: NetworkPolicy, direction: str) -> tuple[NetworkPolicy, PolicyRule] | None:
    """The first narrower rule of a direction, in the policy or in another one for the same pods."""
    others = [other for w in selected(evidence, policy) for other in isolating(evidence, w, direction) if other is not policy]
    for other in (policy, *others):
        narrower = next((r for r in other.rules(direction) if not _is_everything(r)), None)
        if narrower is not None:
            return other, narrower
    return None
