"""A policy trusts an account that several different applications share.

## Finds

ALLOW rules that name an account (other than `default`) under which workloads of two or more applications run: their labels `app` and
`app.kubernetes.io/name` differ.

## Why it matters

Policies see the account, not the application. The grant that is written for one of them is good for all.

## Avoid

```yaml
serviceAccountName: backend        # of cart, of orders and of the nightly report
```

## Prefer

```yaml
serviceAccountName: cart           # one account for each application
```

## Exceptions

Parts of one application that share an account on purpose.

## Silent when

The workloads may be elsewhere (open world); they have no such labels, or the same ones.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.callers import granted_accounts, workloads_with
from meshcheck.lint.evidence import Evidence
from meshcheck.lint.proxies import listed
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.core import Workload

_NAMES = ("app.kubernetes.io/name", "app")
_WHOLE = ("app.kubernetes.io/part-of", "app.kubernetes.io/instance")


@rule(
    "MC415",
    "same-account-many-workloads",
    severity="info",
    needs="absence",
    confidence="medium",
    kinds=("Workload",),
    audience="security",
)
def check(evidence: Evidence) -> Iterator[Found]:
    """Grants to more than one application."""
    for policy, path, value, account in granted_accounts(evidence):
        trusted = workloads_with(evidence, *account)
        names = {_application(w) for w in trusted}
        if account[1] != "default" and len(names) > 1 and None not in names and not _is_one(trusted):
            message = f"`{value}` is the account of {listed(trusted)}: the grant is good for all of them"
            yield found(policy.meta, path, message, ("one of them", trusted[0].meta, ("spec",)))


def _application(workload: Workload) -> str | None:
    return next((workload.pod_labels[key] for key in _NAMES if key in workload.pod_labels), None)


def _is_one(workloads: tuple[Workload, ...]) -> bool:
    """Whether workloads say that they are parts of one whole."""
    return any(len({w.pod_labels.get(key) for w in workloads}) == 1 and key in workloads[0].pod_labels for key in _WHOLE)
