"""ztunnel drops the HTTP attributes of a DENY rule and enforces the rest, so it denies more than is written.

## Finds

DENY rules that hold HTTP attributes beside ports, identities or addresses in the same entry, in a policy without `targetRefs` that applies
to workloads in ambient mode.

## Why it matters

`methods: [DELETE]` with `ports: ["8080"]` becomes `ports: ["8080"]`: the port is closed for everybody, with a reset.

## Avoid

```yaml
spec:
  selector: {matchLabels: {app: cart}}          # a pod in ambient mode
  action: DENY
  rules: [{to: [{operation: {methods: [DELETE], ports: ["8080"]}}]}]
```

## Prefer

```yaml
spec:
  targetRefs: [{group: "", kind: Service, name: cart}]    # a Service with a waypoint
  action: DENY
  rules: [{to: [{operation: {methods: [DELETE], ports: ["80"]}}]}]
```

## Exceptions

None.

## Silent when

It is not known that a workload is in ambient mode; nothing is left of the rule, which is MC616's.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.ambient import at_ztunnel, translated
from meshcheck.lint.evidence import Evidence
from meshcheck.lint.proxies import listed
from meshcheck.lint.rule import Found, found, rule
from meshcheck.semantics.ambient.ztunnel import is_sent


@rule("MC615", "l7-deny-widened-at-ztunnel", severity="error", needs="documents")
def check(evidence: Evidence) -> Iterator[Found]:
    """Entries of which a part is enforced."""
    for policy in evidence.of("AuthorizationPolicy"):
        workloads = at_ztunnel(evidence, policy) if policy.action == "DENY" and is_sent(policy) else ()
        for one in translated(evidence, policy) if workloads else ():
            for match in (m for clause in one.clauses for m in clause if not one.void):
                if match.kept and match.lost:
                    rest = ", ".join(f"`{f.name}`" for f in match.kept)
                    words = f"ztunnel cannot see `{match.lost[0].name}` and enforces the rest: for {listed(workloads)} this denies "
                    yield found(policy.meta, match.lost[0].path, f"{words}whatever matches {rest}")
