"""A selector is there and empty, so it selects the whole namespace; in ambient mode it selects nothing.

## Finds

AuthorizationPolicies, RequestAuthentications and PeerAuthentications with `selector: {}` or `matchLabels: {}`.

## Why it matters

Sidecars read an empty selector as none: the policy applies to the whole namespace (in the root namespace, to the mesh). ztunnel takes it
for a selector that no workload satisfies. Whoever types a selector means something else than both.

## Avoid

```yaml
spec:
  selector: {}
```

## Prefer

```yaml
spec:
  selector: {matchLabels: {app: cart}}   # or no selector at all
```

## Exceptions

A chart whose labels are optional.

## Silent when

Never: one document is enough.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, found, rule

_KINDS = ("AuthorizationPolicy", "RequestAuthentication", "PeerAuthentication")


@rule("MC113", "empty-selector", severity="warning", confidence="medium", needs="document")
def check(evidence: Evidence) -> Iterator[Found]:
    """Selectors without labels."""
    for policy in (policy for kind in _KINDS for policy in evidence.of(kind)):
        selector = (evidence.raw(policy.meta).get("spec") or {}).get("selector")
        if isinstance(selector, dict) and not selector.get("matchLabels"):
            where = "mesh" if policy.meta.namespace == evidence.world.mesh.root_namespace else "namespace"
            words = f"an empty selector: with sidecars it selects the whole {where}, in ambient mode nothing; leave it out or name labels"
            yield found(policy.meta, ("spec", "selector"), words)
