"""An ALLOW that only says who may not call also admits callers without any identity.

## Finds

Rules of ALLOW policies with `notPrincipals`, `notNamespaces`, `notServiceAccounts` or `notTrustDomains` and no field that asks for an
identity or a token, at a sidecar's port whose mTLS mode is PERMISSIVE or DISABLE.

## Why it matters

A call in plaintext has no identity, and no identity is not the excluded one. The rule admits everybody who calls without a sidecar, the
excluded caller with them.

## Avoid

```yaml
rules:
- from: [{source: {notNamespaces: [dev]}}]
```

## Prefer

```yaml
rules:
- from: [{source: {principals: ["*"], notNamespaces: [dev]}}]
```

## Exceptions

A network in which no pod without a sidecar can reach the workload.

## Silent when

The world is open and no PeerAuthentication sets the mode. Another policy refuses callers without identity.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.plaintext import IDENTITY, gets_through, groups, plaintext_mode, sidecar_ports
from meshcheck.lint.repair import adding
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.istio_security import AuthorizationPolicy, Field, Rule

_TOKEN = ("requestPrincipals", "request.auth.")


@rule("MC233", "allow-not-identity-on-permissive", severity="error", needs="documents", audience="security")
def check(evidence: Evidence) -> Iterator[Found]:
    """ALLOW rules with nothing but exclusions, at ports that take plaintext."""
    for policy in evidence.of("AuthorizationPolicy"):
        if policy.action == "ALLOW" and not policy.dry_run:
            for one in policy.rules:
                fields = [f for f in (_exclusion(group) for group in groups(one)) if f is not None]
                if fields and (item := _opening(evidence, policy, one, fields[0])):
                    yield item


def _exclusion(group: tuple[Field, ...]) -> Field | None:
    """The field that excludes an identity, where no other one asks for an identity, a token or an address."""
    asks = any(not f.negated and (f.name in IDENTITY or f.name.startswith(_TOKEN) or "ip" in f.name.lower()) for f in group)
    return None if asks else next((field for field in group if field.name in IDENTITY and field.negated), None)


def _opening(evidence: Evidence, policy: AuthorizationPolicy, one: Rule, field: Field) -> Found | None:
    for workload, port in sidecar_ports(evidence, policy):
        mode = plaintext_mode(evidence, workload, port.number)
        if mode is not None and gets_through(evidence, workload, port, one):
            name = str(field.path[-1])
            by = str(mode.policy.meta.ref) if mode.policy else "no PeerAuthentication"
            words = (
                f"`{name}` also holds for callers without a sidecar, which have no identity: they get through to {workload}:{port.number},"
                f" which takes plaintext ({mode.mode}, by {by}); ask for `principals: [*]` as well"
            )
            fix = None
            if name.startswith("not") and name != "notValues" and not name.startswith("notServiceAccounts"):
                fix = adding(policy.meta, (*field.path[:-1], "principals"), ["*"], 'add `principals: ["*"]`')
            places = [("the mode", mode.policy.meta, mode.field)] if mode.policy else []
            return found(policy.meta, field.path, words, *places, fix=fix)
    return None
