"""Fields of a rule exclude each other, so it never matches.

## Finds

Rules in which identities of a source and its conditions, or ports, methods, paths, hosts or server names of an operation and the
conditions, have no value in common. It is proven with the sets of texts that the fields describe, not by trying.

## Why it matters

All fields of one source or operation must hold, and all conditions with them. A rule that asks for two different namespaces of one caller
admits nobody, or blocks nobody.

## Avoid

```yaml
when:
- {key: source.namespace, values: [shop]}
- {key: source.namespace, values: [ops]}
```

## Prefer

```yaml
when:
- {key: source.namespace, values: [shop, ops]}
```

## Exceptions

None.

## Silent when

A field of the rule never matches by itself: other rules say so. Fields and their own not-twins are MC230's.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.conjunctions import conflict
from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.istio_security import AuthorizationPolicy, Field, Rule


@rule("MC234", "never-matches", severity="warning", needs="document")
def check(evidence: Evidence) -> Iterator[Found]:
    """Rules of which every way to satisfy them has a conflict."""
    domains = evidence.world.mesh.trust_domains
    for policy in evidence.of("AuthorizationPolicy"):
        for one in policy.rules:
            for side in (one.sources, one.operations):
                pairs = [conflict((*group, *one.conditions), policy.meta.namespace, domains) for group in side or ((),)]
                first = pairs[0]
                if first is not None and all(pairs):
                    yield _said(policy, one, *first)
                    break


def _said(policy: AuthorizationPolicy, one: Rule, left: Field, right: Field) -> Found:
    """The finding at the second of two fields."""
    words = f"this rule never matches: no request has both {_words(left)} and {_words(right)}"
    return found(policy.meta, right.path, words, ("the other field", policy.meta, left.path))


def _words(field: Field) -> str:
    values = ", ".join(field.values[:3]) + (" …" if len(field.values) > 3 else "")
    return f"`{field.name}` {values}"
