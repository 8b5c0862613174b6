"""A field that the kind's schema does not know is dropped.

## Finds

Fields that are not part of the schema of their kind and version: a typo, a wrong indentation, a field of another version.

## Why it matters

The API server drops the field with a warning at most. What is left may mean more, or less, than what was written: a `selector` that is
dropped makes a policy of one workload a policy of the whole namespace.

## Avoid

```yaml
spec:
  selectors: {matchLabels: {app: cart}}
```

## Prefer

```yaml
spec:
  selector: {matchLabels: {app: cart}}
```

## Exceptions

A newer cluster may know the field.

## Silent when

The kind is not one that meshcheck knows.
"""

from __future__ import annotations

from meshcheck.decode.admission import Problem
from meshcheck.lint.rule import refusal


@refusal("MC956", "unknown-field", severity="warning")
def claims(kind: str, problem: Problem) -> bool:
    """Every field that is dropped without a refusal."""
    return problem.refused_by is None
