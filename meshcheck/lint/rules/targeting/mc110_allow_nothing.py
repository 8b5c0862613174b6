"""An ALLOW policy without rules denies every request in its scope that no other ALLOW policy admits.

## Finds

AuthorizationPolicies with action ALLOW (or none) and no rules, that is, `spec: {}` with or without a selector.

## Why it matters

It is the right default for a namespace or a mesh, and fatal when rules were forgotten or lost. In a world that is known to be complete it
is a warning where nothing else admits anybody to workloads that have a Service.

## Avoid

```yaml
spec:
  selector: {matchLabels: {app: cart}}   # and the rules?
```

## Prefer

```yaml
spec: {}   # deny by default
---
spec:
  selector: {matchLabels: {app: cart}}
  rules: [{from: [{source: {principals: [cluster.local/ns/shop/sa/frontend]}}]}]
```

## Exceptions

A default of deny whose openings are in other files.

## Silent when

The policy has no selector, and other ALLOW policies admit callers to workloads in its scope: then it is a default.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.ports import all_past_the_sidecar
from meshcheck.lint.rule import Found, found, rule
from meshcheck.lint.selection import applies_to
from meshcheck.model.core import Workload
from meshcheck.model.istio_security import AuthorizationPolicy
from meshcheck.semantics.gateway.pods import is_gateway
from meshcheck.semantics.world.sidecars import sidecar_of


@rule("MC110", "allow-nothing", severity="warning", needs="document")
def check(evidence: Evidence) -> Iterator[Found]:
    """ALLOW policies without rules."""
    for policy in evidence.of("AuthorizationPolicy"):
        if policy.action != "ALLOW" or policy.rules or policy.dry_run:
            continue
        others = _opened(evidence, policy)
        if others and not policy.attachment.selector:
            continue
        closed = () if others else _closed(evidence, policy)
        if closed:
            names = ", ".join(str(w) for w in closed[:3]) + (" …" if len(closed) > 3 else "")
            words = f"nobody may call {names}: this policy has no rules, and no other ALLOW policy applies there"
            yield found(policy.meta, ("spec",), words)
        else:
            words = "an ALLOW policy without rules: what no other ALLOW policy admits is denied"
            yield found(policy.meta, ("spec",), words, severity="info")


def _opened(evidence: Evidence, policy: AuthorizationPolicy) -> bool:
    """Whether another ALLOW policy admits somebody to a workload that this one applies to."""
    near = (p for w in applies_to(evidence, policy) for p in evidence.world.authorization_policies(w))
    return any(p.action == "ALLOW" and p.rules and not p.dry_run for p in near)


def _closed(evidence: Evidence, policy: AuthorizationPolicy) -> tuple[Workload, ...]:
    """The workloads that are there to be called among those whose proxies apply it, where all policies are known."""
    world = evidence.world
    if policy.attachment.targets or not world.complete("AuthorizationPolicy", "Workload", "Service"):
        return ()
    return tuple(w for w in applies_to(evidence, policy) if world.services_of(w) and _is_guarded(evidence, w))


def _is_guarded(evidence: Evidence, workload: Workload) -> bool:
    """Whether calls certainly meet a proxy of the mesh: elsewhere a policy closes nothing."""
    sidecar = sidecar_of(evidence.world, workload)
    if sidecar.present:
        return not all_past_the_sidecar(evidence, workload)
    return sidecar.ambient or is_gateway(workload)
