"""Who may call and what may be called stand in two rules, so either is enough.

## Finds

In an ALLOW or DENY policy, a rule with nothing but `from` right before or behind a rule with nothing but `to` or `when`, and no other
rules.

## Why it matters

Rules are alternatives. One dash too many turns these callers, for these paths into: these callers for everything, and everybody for these
paths.

## Avoid

```yaml
rules:
- from: [{source: {namespaces: [shop]}}]
- to: [{operation: {methods: [GET]}}]
```

## Prefer

```yaml
rules:
- from: [{source: {namespaces: [shop]}}]
  to: [{operation: {methods: [GET]}}]
```

## Exceptions

Paths that are open to everybody on purpose: health checks, metrics, sign-in pages, static files, preflights. Known names of these are left
alone.

## Silent when

Never: one document is enough.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.istio_security import AuthorizationPolicy, Field, Rule
from meshcheck.model.json_patch import pointer
from meshcheck.model.trace import Fix

_OPEN = (
    "health", "ready", "live", "ping", "status", "metrics", "version", "favicon", "login", "logout", "signin", "oauth", "auth", "callback",
    "public", "static", "assets", "robots", ".well-known", "startup", "probe", "stats", "docs", "swagger", "openapi", "webhook", "dex",
)  # fmt: skip
"""Beginnings of segments in paths that are often open to everybody."""


@rule("MC115", "split-rule", severity="warning", confidence="medium", needs="document")
def check(evidence: Evidence) -> Iterator[Found]:
    """Policies of two rules, one about the caller and one about the call."""
    for policy in evidence.of("AuthorizationPolicy"):
        if policy.action not in ("ALLOW", "DENY") or len(policy.rules) != 2:
            continue
        who = next((r for r in policy.rules if r.sources and not r.operations and not r.conditions), None)
        what = next((r for r in policy.rules if not r.sources and (r.operations or r.conditions)), None)
        if who is None or what is None or _meant(what):
            continue
        does = "admits" if policy.action == "ALLOW" else "refuses"
        fix = _joined(evidence, policy, who, what)
        words = f"this rule {does} everybody: rule {who.index} is another alternative; one dash fewer makes them one rule"
        yield found(policy.meta, _at(what), words, ("the rule about the caller", policy.meta, _at(who)), fix=fix)


def _at(rule: Rule) -> tuple[str | int, ...]:
    return ("spec", "rules", rule.index)


def _meant(rule: Rule) -> bool:
    """Whether what a rule opens to everybody is likely meant so."""
    return any(_harmless(field) for group in rule.operations for field in group) or any(
        field.name.startswith(("request.auth.", "source.", "remote.ip", "connection.")) for field in rule.conditions
    )


def _harmless(field: Field) -> bool:
    if field.negated:
        return False
    if field.name == "methods":
        return set(field.values) == {"OPTIONS"}
    return field.name == "paths" and all(_public(value) for value in field.values)


def _public(path: str) -> bool:
    return path == "/" or any(part.startswith(_OPEN) for part in path.lower().strip("*").split("/") if part)


def _joined(evidence: Evidence, policy: AuthorizationPolicy, who: Rule, what: Rule) -> Fix | None:
    """One rule of the two; None where the text is not at hand."""
    written = (evidence.raw(policy.meta).get("spec") or {}).get("rules") or []
    if max(who.index, what.index) >= len(written):
        return None
    parts = {name: part for name, part in written[what.index].items() if name in ("to", "when")}
    moved = [{"op": "add", "path": pointer((*_at(who), name)), "value": part} for name, part in parts.items()]
    steps = (*moved, {"op": "remove", "path": pointer(_at(what))})
    return Fix(f"make one rule of rules {who.index} and {what.index}", ((policy.meta.ref, steps),), safe=False)
