"""The object fails its schema or its validation, so a cluster refuses it.

## Finds

Objects that the API server, a CRD's schema or Istio's webhook would not accept: fields of the wrong type, required fields that miss,
values out of range, combinations that validation forbids. The message says who refuses and why.

## Why it matters

A refused policy protects nothing and opens nothing: the version that was there before stays in force, or none at all.

## Avoid

```yaml
spec:
  ports: [{port: "http"}]   # a Service's port is a number
```

## Prefer

```yaml
spec:
  ports: [{name: http, port: 80}]
```

## Exceptions

A newer cluster may take fields that this version of meshcheck does not know.

## Silent when

The kind is not one that meshcheck knows. Refusals that have a rule of their own (MC104, MC105, MC112 …) are reported there.
"""

from __future__ import annotations

from meshcheck.decode.admission import Problem
from meshcheck.lint.rule import refusal


@refusal("MC101", "schema-violation")
def claims(kind: str, problem: Problem) -> bool:
    """Every refusal that no other rule claims."""
    return problem.refused_by is not None
