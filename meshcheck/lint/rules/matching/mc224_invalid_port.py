"""A port is no number between 0 and 65535, so the policy is refused.

## Finds

`ports`, `notPorts` and `destination.port` of AuthorizationPolicies with a name, a range, a number that is too large, or a number without
quotes.

## Why it matters

Istio compares the number of the port that the pod listens on. The policy is refused as a whole: no rule of it is in force.

## Avoid

```yaml
ports: ["http", "8000-8080"]
```

## Prefer

```yaml
ports: ["8080", "8081"]
```

## Exceptions

None.

## Silent when

Never: one document is enough.
"""

from __future__ import annotations

from meshcheck.decode.admission import Problem
from meshcheck.lint.rule import refusal


@refusal("MC224", "invalid-port")
def claims(kind: str, problem: Problem) -> bool:
    """Refusals of ports, by their type or by their value."""
    if kind != "AuthorizationPolicy" or problem.refused_by is None:
        return False
    return problem.path[-2:-1] in (("ports",), ("notPorts",)) or "is no port number" in problem.message
