"""An exception of an address block lies outside the block, so the policy is refused.

## Finds

`ipBlock` with an `except` that is no smaller part of its `cidr`.

## Why it matters

The API server refuses the whole policy: none of its rules is in force.

## Avoid

```yaml
ipBlock: {cidr: 10.0.0.0/16, except: [10.1.0.0/24]}
```

## Prefer

```yaml
ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/24]}
```

## Exceptions

None.

## Silent when

Never: one document is enough.
"""

from __future__ import annotations

from meshcheck.decode.admission import Problem
from meshcheck.lint.rule import refusal


@refusal("MC720", "except-outside-block", severity="error")
def claims(kind: str, problem: Problem) -> bool:
    """Refusals of exceptions."""
    return kind == "NetworkPolicy" and "is not a smaller part of" in problem.message
