"""A short service account in a policy of the root namespace means an account of the root namespace.

## Finds

`serviceAccounts` and `source.serviceAccount` without a namespace in AuthorizationPolicies of the root namespace, unless the root namespace
is known to have that account.

## Why it matters

A name without a namespace is completed with the namespace of the policy, not with that of the caller or of the workload. In a policy for
the whole mesh that names nobody.

## Avoid

```yaml
metadata: {namespace: istio-system}
spec:
  rules: [{from: [{source: {serviceAccounts: [frontend]}}]}]
```

## Prefer

```yaml
serviceAccounts: [shop/frontend]
```

## Exceptions

Accounts of gateways and of Istio itself, which live in the root namespace: names with `gateway`, `istio` or `waypoint` are left alone.

## Silent when

Never: one document is enough.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.fields import texts_of
from meshcheck.lint.identities import known_accounts
from meshcheck.lint.repair import replacing
from meshcheck.lint.rule import Found, found, rule

_OWN = ("gateway", "istio", "waypoint", "ztunnel", "kiali", "prometheus")


@rule("MC207", "short-service-account-scope", severity="warning", needs="document")
def check(evidence: Evidence) -> Iterator[Found]:
    """Short names in policies of the root namespace."""
    root = evidence.world.mesh.root_namespace
    for policy, path, value in texts_of(evidence, "serviceAccounts", "source.serviceAccount"):
        if policy.meta.namespace != root or "/" in value or any(word in value for word in _OWN):
            continue
        accounts = known_accounts(evidence)
        if (root, value) in accounts:
            continue
        spaces = [space for space, name in accounts if name == value]
        meant = f"{spaces[0]}/{value}" if len(spaces) == 1 else f"NAMESPACE/{value}"
        fix = replacing(policy.meta, path, meant, f"write `{meant}`", safe=False) if len(spaces) == 1 else None
        words = f"`{value}` means `{root}/{value}`: without a namespace it is of the policy's own; write `{meant}`"
        yield found(policy.meta, path, words, fix=fix, confidence=None if spaces else "medium")
