"""A policy trusts the account `default`, which is every pod's that has none of its own.

## Finds

ALLOW rules that name the account `default` of a namespace in which two or more workloads run under it.

## Why it matters

A pod that says nothing runs as `default`. The grant is meant for one of them and is good for all, also for the debugging pod of tomorrow.

## Avoid

```yaml
principals: ["cluster.local/ns/shop/sa/default"]
```

## Prefer

```yaml
principals: ["cluster.local/ns/shop/sa/web"]    # and `serviceAccountName: web` in the pod's template
```

## Exceptions

All workloads of the namespace are meant: say so with `namespaces: [shop]`.

## Silent when

Fewer than two workloads of the namespace are known to run under the account.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.callers import granted_accounts, workloads_with
from meshcheck.lint.evidence import Evidence
from meshcheck.lint.proxies import listed
from meshcheck.lint.rule import Found, found, rule


@rule("MC414", "shared-default-account", severity="warning", needs="documents", audience="security")
def check(evidence: Evidence) -> Iterator[Found]:
    """Grants to everybody without an account."""
    for policy, path, value, account in granted_accounts(evidence):
        if account[1] != "default":
            continue
        trusted = workloads_with(evidence, *account)
        if len({w.name for w in trusted}) >= 2:
            message = f"`{value}` is the account of {len(trusted)} workloads ({listed(trusted)}) and of every pod without one of its own"
            yield found(policy.meta, path, message, ("one of them", trusted[0].meta, ("spec",)))
