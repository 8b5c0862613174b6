"""mTLS is switched off: callers have no identity there, and everything travels in plaintext.

## Finds

PeerAuthentications with mode DISABLE, as a whole or (as a note) for a port.

## Why it matters

Without mTLS nobody proves who calls. Rules with `principals`, `namespaces` or `serviceAccounts` cannot match on these ports, and callers
with sidecars send plaintext, too.

## Avoid

```yaml
spec: {mtls: {mode: DISABLE}}
```

## Prefer

```yaml
spec: {mtls: {mode: PERMISSIVE}}     # takes both, until all callers have a sidecar; then STRICT
```

## Exceptions

A port whose application speaks TLS itself, or that a client outside the mesh must reach with TLS of its own.

## Silent when

Never: one document is enough.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.proxies import listed
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.istio_security import PeerAuthentication


@rule("MC407", "mtls-disabled", severity="warning", needs="document", audience="security")
def check(evidence: Evidence) -> Iterator[Found]:
    """Modes DISABLE."""
    for policy in evidence.of("PeerAuthentication"):
        if policy.mode == "DISABLE":
            whom = _scope(evidence, policy.meta.namespace, policy.selector)
            saved = _narrower(evidence, policy)
            but = f" (save what {listed([str(p.meta.ref) for p in saved])} says)" if saved else ""
            message = f"mTLS is off for {whom}{but}: plaintext only, and no rule there can match an identity"
            yield found(policy.meta, ("spec", "mtls", "mode"), message, *(("of its own", p.meta, ("spec",)) for p in saved[:1]))
        for port, mode in policy.ports.items():
            if mode == "DISABLE" and policy.mode != "DISABLE":
                message = f"mTLS is off for port {port}: plaintext only, and no rule can match an identity there"
                yield found(policy.meta, ("spec", "portLevelMtls", str(port), "mode"), message, severity="info")


def _scope(evidence: Evidence, namespace: str, selector: object) -> str:
    if selector:
        return "the selected workloads"
    return "the whole mesh" if namespace == evidence.world.mesh.root_namespace else f"namespace {namespace}"


def _narrower(evidence: Evidence, policy: PeerAuthentication) -> list[PeerAuthentication]:
    """Other policies that turn mTLS on for a part of what this one is for."""
    if policy.selector:
        return []
    root = evidence.world.mesh.root_namespace
    whole_mesh = policy.meta.namespace == root
    return [
        other
        for other in evidence.of("PeerAuthentication")
        if other.mode in ("STRICT", "PERMISSIVE")
        and (other.meta.namespace != root if whole_mesh else other.meta.namespace == policy.meta.namespace and other.selector)
    ]
