"""A DENY by identity is escaped by callers that present none, because the port takes plaintext.

## Finds

DENY policies with `principals`, `namespaces`, `serviceAccounts` or `trustDomains` (also as conditions) that apply to a sidecar's port whose
mTLS mode is PERMISSIVE or DISABLE, where nothing else refuses a caller without identity.

## Why it matters

A call in plaintext has no identity, so no rule about an identity matches it. Whoever is denied by name only has to call without a sidecar
(istio/istio#34355).

## Avoid

```yaml
kind: AuthorizationPolicy
spec:
  action: DENY
  rules: [{from: [{source: {namespaces: [dev]}}]}]
```

## Prefer

```yaml
kind: PeerAuthentication
spec: {mtls: {mode: STRICT}}
```

## Exceptions

A network in which no pod without a sidecar can reach the workload. A DENY with `notPrincipals` refuses plaintext callers and is no such
case.

## Silent when

The world is open and no PeerAuthentication sets the mode: one that is not in the input may be STRICT. An ALLOW policy that asks for an
identity stops the same callers, and so does a DENY with `notPrincipals: ["*"]`.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.plaintext import IDENTITY, gets_through, groups, plaintext_mode, sidecar_ports
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.istio_security import AuthorizationPolicy, Field, Rule


@rule("MC232", "deny-identity-on-permissive", severity="error", needs="documents", audience="security")
def check(evidence: Evidence) -> Iterator[Found]:
    """DENY rules about identities, at ports that take plaintext."""
    for policy in evidence.of("AuthorizationPolicy"):
        if policy.action == "DENY" and not policy.dry_run:
            for one in policy.rules:
                fields = [f for f in (_identity(group) for group in groups(one)) if f is not None]
                if fields and (item := _escape(evidence, policy, one, fields[0])):
                    yield item


def _identity(group: tuple[Field, ...]) -> Field | None:
    """The field that asks for an identity, without which the group does not match."""
    return next((field for field in group if field.name in IDENTITY and not field.negated), None)


def _escape(evidence: Evidence, policy: AuthorizationPolicy, one: Rule, field: Field) -> Found | None:
    for workload, port in sidecar_ports(evidence, policy):
        mode = plaintext_mode(evidence, workload, port.number)
        if mode is not None and gets_through(evidence, workload, port, one):
            by = f"{mode.policy.meta.ref}" if mode.policy else "no PeerAuthentication"
            words = (
                f"a caller without a sidecar is not refused: it has no identity, and {workload}:{port.number} takes plaintext"
                f" ({mode.mode}, by {by})"
            )
            places = [("the mode", mode.policy.meta, mode.field)] if mode.policy else []
            return found(policy.meta, field.path, words, *places)
    return None
