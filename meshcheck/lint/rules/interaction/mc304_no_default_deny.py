"""A namespace whose workloads have policies one by one has no default: a new workload starts open.

## Finds

Namespaces with ALLOW policies for two or more single workloads that no ALLOW policy without a selector covers as a whole, neither their own
nor one of the root namespace.

## Why it matters

A workload to which no ALLOW policy applies takes every call. Where access is granted workload by workload, the next one that is deployed,
or the one whose label was changed, is open to everybody until somebody writes its policy.

## Avoid

```yaml
kind: AuthorizationPolicy      # the only one of the namespace
spec:
  selector: {matchLabels: {app: cart}}
  rules: [{from: [{source: {namespaces: [shop]}}]}]
```

## Prefer

```yaml
kind: AuthorizationPolicy      # beside it: nothing is allowed by default
metadata: {name: allow-nothing}
spec: {}
```

## Exceptions

Namespaces that are meant to be open, but for a few workloads.

## Silent when

The default may be elsewhere (open world); the namespace has no proxies, or no ALLOW policies at all.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.proxies import governed, listed
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.istio_security import AuthorizationPolicy
from meshcheck.semantics.gateway.pods import is_gateway


@rule(
    "MC304",
    "no-default-deny",
    severity="info",
    needs="absence",
    confidence="medium",
    kinds=("AuthorizationPolicy", "Workload"),
    audience="security",
)
def check(evidence: Evidence) -> Iterator[Found]:
    """Namespaces that grant access and deny nothing by default."""
    root = evidence.world.mesh.root_namespace
    granting: dict[str, list[AuthorizationPolicy]] = {}
    for policy in evidence.of("AuthorizationPolicy"):
        if policy.action == "ALLOW" and not policy.dry_run:
            granting.setdefault(policy.meta.namespace, []).append(policy)
    if any(_is_for_all(policy) for policy in granting.get(root, ())):
        return
    for namespace, policies in granting.items():
        if namespace == root or any(_is_for_all(policy) for policy in policies):
            continue
        single = dict.fromkeys(str(w) for policy in policies for w in governed(evidence, policy) if w.meta.origin and not is_gateway(w))
        if len(single) > 1:
            message = f"namespace {namespace} has ALLOW policies for {listed(single)} and no default: what else is deployed there is open"
            yield found(policies[0].meta, ("spec",), message)


def _is_for_all(policy: AuthorizationPolicy) -> bool:
    return not policy.attachment.selector and not policy.attachment.targets
