"""Objects of a cluster could not be read, so answers that depend on them are unknown.

## Finds

Kinds, and namespaces of a kind, that a cluster (or the snapshot of one) did not let be listed: for want of rights, or because the API did
not answer. Namespaces that were not asked for (`-n`) are one finding of severity info.

## Why it matters

What is not known is not absent. A verdict that looked there is `unknown`, and rules that claim an absence stay silent; a clean report says
less than it seems to.

## Avoid

```yaml
rules: [{apiGroups: [""], resources: [pods, services], verbs: [list]}]
```

## Prefer

```yaml
rules:                       # what `charts/meshcheck` grants
- {apiGroups: [""], resources: [pods, services, namespaces], verbs: [list]}
- {apiGroups: [security.istio.io], resources: ["*"], verbs: [list]}
```

## Exceptions

Secrets are read by name only, and only when they are asked for.

## Silent when

The input is files: nobody says what else there is. The whole kind was read.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, rule


@rule("MC954", "evidence-missing", severity="warning", needs="live", audience="platform")
def check(evidence: Evidence) -> Iterator[Found]:
    """The gaps of what was read; Secrets are one by design."""
    coverage = evidence.world.inventory.coverage
    gaps = coverage.gaps if coverage is not None else ()
    for gap in gaps:
        if gap.kind != "Secret" and not gap.chosen:
            yield Found(f"{gap.fact()}: what depends on them is unknown", None, None)
    chosen = [gap for gap in gaps if gap.chosen and gap.others]
    if chosen:
        others = ", ".join(chosen[0].others)
        message = f"{len(chosen)} kinds were read in {others} only, as was asked for: what depends on other namespaces is unknown"
        yield Found(message, None, None, severity="info")
