"""`portLevelMtls` in a PeerAuthentication without a selector: the API server refuses it.

## Finds

PeerAuthentications that have `portLevelMtls` and no `selector` with labels.

## Why it matters

Ports belong to workloads, so modes of ports need one. The object is refused, and the version that was there before stays in force.

## Avoid

```yaml
spec:
  portLevelMtls: {8080: {mode: DISABLE}}
```

## Prefer

```yaml
spec:
  selector: {matchLabels: {app: cart}}
  portLevelMtls: {8080: {mode: DISABLE}}
```

## Exceptions

None: the CRD's validation refuses the object.

## Silent when

Never: one document is enough.
"""

from __future__ import annotations

from meshcheck.decode.admission import Problem
from meshcheck.lint.rule import refusal


@refusal("MC406", "port-level-without-selector")
def claims(kind: str, problem: Problem) -> bool:
    """The refusal of ports without a selector."""
    return kind == "PeerAuthentication" and problem.message.startswith("`portLevelMtls` needs a selector")
