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

A default of deny beside policies that open what is needed.

## Silent when

Never: one document is enough.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, found, rule
from meshcheck.lint.selection import applies_to
from meshcheck.model.core import Workload
from meshcheck.model.istio_security import AuthorizationPolicy


@rule("MC110", "allow-nothing", severity="info", needs="document")
def check(evidence: Evidence) -> Iterator[Found]:
    """ALLOW policies without rules."""
    for policy in evidence.of("AuthorizationPolicy"):
        if policy.action != "ALLOW" or policy.rules or policy.dry_run:
            continue
        closed = _closed(evidence, policy)
        if closed:
            names = ", ".join(str(w) for w in closed[:3]) + (" …" if len(closed) > 3 else "")
            words = f"nobody may call {names}: this policy has no rules, and no other ALLOW policy applies there"
            yield found(policy.meta, ("spec",), words, severity="warning")
        else:
            yield found(policy.meta, ("spec",), "an ALLOW policy without rules: what no other ALLOW policy admits is denied")


def _closed(evidence: Evidence, policy: AuthorizationPolicy) -> tuple[Workload, ...]:
    """All workloads that it applies to, if none of them has another ALLOW policy and one of them is there to be called."""
    world = evidence.world
    if policy.attachment.targets or not world.complete("AuthorizationPolicy", "Workload", "Service"):
        return ()
    workloads = applies_to(evidence, policy)
    called = tuple(w for w in workloads if world.services_of(w))

    def opened(workload: Workload) -> bool:
        return any(p.action == "ALLOW" and p.rules and not p.dry_run for p in world.authorization_policies(workload))

    return () if any(opened(w) for w in workloads) else called
