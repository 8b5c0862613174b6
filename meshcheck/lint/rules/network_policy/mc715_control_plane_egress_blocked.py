"""Egress of a pod with a sidecar is restricted, and the sidecar cannot reach istiod.

## Finds

Workloads with a sidecar whose NetworkPolicies let nothing out to istiod's port 15012.

## Why it matters

The sidecar gets its configuration and its certificate from there. New pods never become ready; running ones keep old policies, until the
certificate ends and every call with mTLS fails.

## Avoid

```yaml
policyTypes: [Egress]
egress: [{to: [{podSelector: {matchLabels: {app: db}}}]}]
```

## Prefer

```yaml
egress:
- to: [{podSelector: {matchLabels: {app: db}}}]
- to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: istio-system}}}]
  ports: [{port: 15012, protocol: TCP}]
```

## Exceptions

A control plane outside the cluster, or under other labels.

## Silent when

The world is open; some rule opens TCP 15012, whoever to; a rule without ports has peers that may mean istiod (a namespace whose labels were
not read, an address block); an admin policy may decide.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.network_policies import all_policies, covers_number, decided_elsewhere, end_of, isolated, isolating
from meshcheck.lint.proxies import listed
from meshcheck.lint.repair import adding
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.core import Workload
from meshcheck.model.network_policy import EGRESS, NetworkPolicy
from meshcheck.model.objects import Meta, ObjectRef
from meshcheck.semantics.network_policy import evaluate
from meshcheck.semantics.world.sidecars import sidecar_of

_PORT = 15012
_KINDS = ("NetworkPolicy", "Namespace", "Workload")


@rule("MC715", "control-plane-egress-blocked", severity="error", needs="absence", confidence="medium", kinds=_KINDS, audience="platform")
def check(evidence: Evidence) -> Iterator[Found]:
    """Sidecars that are cut off, by the policy that isolates them."""
    hurt: dict[int, tuple[NetworkPolicy, list[Workload]]] = {}
    istiod = _istiod(evidence)
    for workload in isolated(evidence, EGRESS) if not decided_elsewhere(evidence) else ():
        policies = isolating(evidence, workload, EGRESS)
        named = any(r.ports and covers_number(r, "TCP", _PORT) for p in policies for r in p.egress)
        if named or not sidecar_of(evidence.world, workload).present or workload is istiod:
            continue
        ends = end_of(evidence, workload), end_of(evidence, istiod)
        sides = evaluate(all_policies(evidence), *ends, "TCP", _PORT, explain=False)
        if any(side.direction == EGRESS and side.allowed is False for side in sides):
            first = next((p for p in policies if p.egress), policies[0])
            hurt.setdefault(id(first), (first, []))[1].append(workload)
    root = evidence.world.mesh.root_namespace
    to = {
        "to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": root}}}],
        "ports": [{"port": _PORT, "protocol": "TCP"}],
    }
    for policy, workloads in hurt.values():
        words = f"the sidecar of {listed(workloads)} cannot reach istiod (TCP {_PORT}): it gets neither configuration nor certificate"
        field = ("spec", EGRESS) if policy.egress else ("spec",)
        fix = adding(policy.meta, ("spec", EGRESS, "-"), to, "open the way to istiod", safe=False) if policy.egress else None
        yield found(policy.meta, field, words, fix=fix)


def _istiod(evidence: Evidence) -> Workload:
    """istiod, or what has its usual labels where it is not in the input."""
    root = evidence.world.mesh.root_namespace
    found = next((w for w in evidence.world.workloads_in(root) if w.pod_labels.get("app") == "istiod"), None)
    meta = Meta(ObjectRef("apps/v1", "Deployment", root, "istiod"), {}, {}, "", None)
    labels = {"app": "istiod", "istio": "pilot", "istio.io/rev": "default"}
    return found or evidence.once("usual istiod", lambda: Workload(meta, "Deployment", labels, {}, "istiod", (), False, (), "", None, ()))
