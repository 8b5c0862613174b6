"""A rule lets in every caller that has an identity, whosever it is.

## Finds

Sources of ALLOW rules that name nothing but `principals: ["*"]`.

## Why it matters

Each workload of the mesh has an identity, those of other teams and tenants, too. The rule keeps out plaintext callers and nobody else.

## Avoid

```yaml
- from: [{source: {principals: ["*"]}}]
```

## Prefer

```yaml
- from: [{source: {namespaces: [shop]}}]
```

## Exceptions

Services for the whole mesh, such as an identity provider.

## Silent when

The rule narrows the callers by another field, a condition or what they may call.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, found, rule


@rule("MC312", "any-authenticated", severity="info", needs="document", audience="security")
def check(evidence: Evidence) -> Iterator[Found]:
    """Doors for everybody with a name."""
    for policy in evidence.of("AuthorizationPolicy"):
        for one in policy.rules if policy.action == "ALLOW" else ():
            if one.operations or one.conditions:
                continue
            for fields in one.sources:
                if len(fields) == 1 and fields[0].name == "principals" and not fields[0].negated and "*" in fields[0].values:
                    yield found(policy.meta, fields[0].path, "every workload of the mesh may call by this, whosever it is")
