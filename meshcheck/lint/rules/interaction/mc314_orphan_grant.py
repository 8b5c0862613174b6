"""A grant to an account under which nothing runs.

## Finds

ALLOW rules that name an account which exists, and no workload uses.

## Why it matters

The access outlives what it was made for. Whoever deploys something under that account has it.

## Avoid

```yaml
principals: ["cluster.local/ns/shop/sa/old-report"]     # the Deployment is gone, its ServiceAccount is not
```

## Prefer

```yaml
principals: ["cluster.local/ns/shop/sa/web"]
```

## Exceptions

Accounts of pods that a controller makes when they are needed (jobs, notebooks, pipelines).

## Silent when

Workloads may be elsewhere (open world); the namespace of the account has no workloads at all, or the account does not exist (MC201).
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.callers import granted_accounts, workloads_with
from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, found, rule


@rule(
    "MC314",
    "orphan-grant",
    severity="warning",
    needs="absence",
    confidence="medium",
    kinds=("Workload", "ServiceAccount"),
    audience="security",
)
def check(evidence: Evidence) -> Iterator[Found]:
    """Grants to nobody."""
    accounts = {(a.meta.namespace, a.meta.name): a.meta for a in evidence.of("ServiceAccount")}
    for policy, path, value, account in granted_accounts(evidence):
        if account in accounts and evidence.world.workloads_in(account[0]) and not workloads_with(evidence, *account):
            message = f"`{value}`: no workload runs under this account; whoever uses it next has the access"
            yield found(policy.meta, path, message, ("the account", accounts[account], ("metadata", "name")))
