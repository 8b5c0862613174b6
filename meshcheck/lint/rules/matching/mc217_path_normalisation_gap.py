"""Paths are refused by name, and the mesh does not normalise paths as servers do.

## Finds

`paths` of DENY rules and `notPaths` of ALLOW rules where mesh config sets `pathNormalization` to NONE; with low confidence also where it is
BASE, the default.

## Why it matters

With NONE, `/./admin` and `/%61dmin` are other paths for the policy and the same for the server. With BASE, `//admin` still is, and
`/x%2f..%2fadmin` for servers that decode slashes. What is refused by name is reached under another name.

## Avoid

```yaml
pathNormalization: {normalization: NONE}
```

## Prefer

```yaml
pathNormalization: {normalization: DECODE_AND_MERGE_SLASHES}
```

## Exceptions

Servers that compare paths as they are sent.

## Silent when

Mesh config is not in the input.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.fields import fields_of
from meshcheck.lint.rule import Found, found, rule


@rule("MC217", "path-normalisation-gap", severity="warning", confidence="medium", needs="documents", audience="security")
def check(evidence: Evidence) -> Iterator[Found]:
    """Refusals by path under weak normalisation."""
    mesh = evidence.world.mesh
    if not mesh.known or mesh.normalization not in ("NONE", "BASE"):
        return
    none = mesh.normalization == "NONE"
    way = "`/./x` and `/%78` are not taken for `/x`" if none else "`//x` is not taken for `/x`"
    places = [("mesh config", mesh.meta, ("data", "mesh"))] if mesh.meta else []
    for policy, _, field in fields_of(evidence, "paths"):
        if (policy.action, field.negated) in (("DENY", False), ("ALLOW", True)) and "*" not in field.values:
            words = f"pathNormalization is {mesh.normalization}: {way}, and a server that reads them alike is reached past this rule"
            yield found(policy.meta, field.path, words, *places, confidence=None if none else "low")
