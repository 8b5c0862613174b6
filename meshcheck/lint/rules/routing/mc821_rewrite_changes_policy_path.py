"""A route rewrites the path or host, and the policy of the workload behind it still names the old form.

## Finds

Values of `paths` and `hosts` in ALLOW and DENY rules that are written for requests as clients send them, on workloads that a route with a
rewrite leads to: what arrives has another path or host, which no value of the rule matches.

## Why it matters

Policies of a workload see the request behind the rewrite. An ALLOW for the old path admits nothing and every call gets 403; a DENY for it
lets all calls past. Route and policy read well, each alone.

## Avoid

```yaml
kind: VirtualService
spec: {http: [{match: [{uri: {prefix: /api/}}], rewrite: {uri: /}, route: [{destination: {host: web}}]}]}
---
kind: AuthorizationPolicy
spec: {rules: [{to: [{operation: {paths: ["/api/*"]}}]}]}
```

## Prefer

```yaml
kind: AuthorizationPolicy
spec: {rules: [{to: [{operation: {paths: ["/*"]}}]}]}
```

## Exceptions

Rules for callers that reach the workload without the route.

## Silent when

Policies may be elsewhere (open world); another rule may admit, or refuse, what arrives; the rewrite is a regular expression.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rewrites import Changed, changed_values
from meshcheck.lint.rule import Found, found, rule

_KINDS = ("AuthorizationPolicy", "Workload", "Service")


@rule("MC821", "rewrite-changes-policy-path", severity="error", needs="absence", kinds=_KINDS)
def check(evidence: Evidence) -> Iterator[Found]:
    """Values that name what no longer arrives."""
    for item in changed_values(evidence):
        yield _finding(item)


def _finding(item: Changed) -> Found:
    words = (
        f"{item.owner.ref} rewrites `{item.before}` to `{item.after}` before {item.server} sees it:"
        f" {'no rule admits that, and callers get 403' if item.allow else 'this DENY does not match it, and callers get past'}"
    )
    return found(item.policy.meta, item.field, words, ("the rewrite", item.owner, item.route.field))
