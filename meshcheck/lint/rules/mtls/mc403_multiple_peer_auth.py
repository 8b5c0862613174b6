"""Several PeerAuthentications have one scope, and only the oldest of them counts.

## Finds

PeerAuthentications without a selector that share a namespace; and with selectors, those that have the same selector or select the same
workload.

## Why it matters

Istio takes the oldest one and leaves the others out entirely; it does not merge them, not even their ports. Which one is the oldest is
seen in the cluster only, and another one may be after a backup was restored.

## Avoid

```yaml
metadata: {name: default, namespace: shop}
spec: {mtls: {mode: STRICT}}
---
metadata: {name: legacy, namespace: shop}
spec: {mtls: {mode: PERMISSIVE}}
```

## Prefer

```yaml
metadata: {name: default, namespace: shop}
spec: {mtls: {mode: STRICT}}
```

## Exceptions

None. A policy with a selector beside one without is fine: the more specific one wins.

## Silent when

Two selectors may meet on a workload that is not in the input.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.proxies import servers
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.core import Workload
from meshcheck.model.istio_security import PeerAuthentication
from meshcheck.semantics.attachment import selects
from meshcheck.semantics.authentication.peer import age


@rule("MC403", "multiple-peer-auth", severity="warning", needs="documents")
def check(evidence: Evidence) -> Iterator[Found]:
    """PeerAuthentications in the shadow of an older one."""
    by_namespace: dict[str, list[PeerAuthentication]] = {}
    for policy in sorted(evidence.of("PeerAuthentication"), key=age):
        by_namespace.setdefault(policy.meta.namespace, []).append(policy)
    for namespace, policies in by_namespace.items():
        whole = [p for p in policies if not p.selector]
        for policy in whole[1:]:
            yield _finding(policy, whole[0], f"namespace {namespace} as a whole")
        if namespace != evidence.world.mesh.root_namespace:  # there Istio reads no selectors at all
            yield from _selecting(evidence, [p for p in policies if p.selector])


def _selecting(evidence: Evidence, policies: list[PeerAuthentication]) -> Iterator[Found]:
    for n, policy in enumerate(policies):
        for older in policies[:n]:
            shared = _shared(evidence, policy, older)
            if shared is not None:
                yield _finding(policy, older, shared)
                break


def _shared(evidence: Evidence, policy: PeerAuthentication, older: PeerAuthentication) -> str | None:
    """What two policies both select, in words."""
    if policy.selector == older.selector:
        return "the same labels"
    by_namespace: dict[str, list[Workload]] = evidence.once("servers of namespaces", lambda: _by_namespace(evidence))
    for workload in by_namespace.get(policy.meta.namespace, ()):
        if selects(policy.selector, workload.pod_labels) and selects(older.selector, workload.pod_labels):
            return str(workload)
    return None


def _by_namespace(evidence: Evidence) -> dict[str, list[Workload]]:
    out: dict[str, list[Workload]] = {}
    for workload in servers(evidence):
        out.setdefault(workload.namespace, []).append(workload)
    return out


def _finding(policy: PeerAuthentication, older: PeerAuthentication, shared: str) -> Found:
    known = policy.meta.created and older.meta.created
    which = f"only `{older.meta.name}`, the older one, counts" if known else "only the older of the two counts"
    message = f"`{older.meta.name}` is for {shared}, too: {which}"
    return found(policy.meta, ("metadata", "name"), message, ("the other one", older.meta, ("metadata", "name")))
