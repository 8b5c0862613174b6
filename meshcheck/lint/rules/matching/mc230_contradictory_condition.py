"""A field asks for values, and its not-twin excludes all of them, so the rule never matches.

## Finds

Sources, operations and conditions in which every value is covered by a value of the not-twin: `paths` and `notPaths`, `values` and
`notValues`, and so on.

## Why it matters

Both must hold. An ALLOW rule of this kind admits nobody, a DENY rule blocks nobody.

## Avoid

```yaml
paths: ["/api/admin"]
notPaths: ["/api/*"]
```

## Prefer

```yaml
paths: ["/api/*"]
notPaths: ["/api/admin"]
```

## Exceptions

None.

## Silent when

Never: one document is enough.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.patterns import covers
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.istio_security import Field

_PLAIN = ("ports", "destination.port", "ipBlocks", "remoteIpBlocks", "source.ip", "remote.ip", "destination.ip")
"""Fields without wildcards."""


@rule("MC230", "contradictory-condition", severity="warning", needs="document")
def check(evidence: Evidence) -> Iterator[Found]:
    """Fields whose not-twin excludes all of their values."""
    for policy in evidence.of("AuthorizationPolicy"):
        for one in policy.rules:
            for group in (*one.sources, *one.operations, one.conditions):
                for wanted in group:
                    twin = next(
                        (f for f in group if not wanted.negated and f.negated and f.name == wanted.name and _excludes(f, wanted)), None
                    )
                    if twin is not None:
                        name = str(twin.path[-1])
                        words = f"never holds: `{name}` excludes every value of `{wanted.path[-1]}`"
                        yield found(policy.meta, wanted.path, words, (f"`{name}`", policy.meta, twin.path))


def _excludes(twin: Field, wanted: Field) -> bool:
    """Whether each wanted value is covered by one that is excluded."""
    if wanted.name in _PLAIN:
        return set(wanted.values) <= set(twin.values)
    fold = str.lower if wanted.name == "hosts" else str
    return all(any(covers(fold(bad), fold(good)) for bad in twin.values) for good in wanted.values)
