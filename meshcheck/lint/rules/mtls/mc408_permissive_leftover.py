"""Plaintext is still taken, although everything that could call has a sidecar: a migration that was not finished.

## Finds

PeerAuthentications with mode PERMISSIVE, where every workload of the input has a sidecar or is a gateway of the mesh, and neither an
Ingress, a webhook, nor a node port or load balancer leads to the workloads that the policy is for.

## Why it matters

PERMISSIVE is for the time in which some callers have no sidecar yet. Until it is STRICT, anybody in the cluster can call without an
identity.

## Avoid

```yaml
spec: {mtls: {mode: PERMISSIVE}}
```

## Prefer

```yaml
spec: {mtls: {mode: STRICT}}
```

## Exceptions

Callers that no manifest shows: the kubelet needs nothing (its probes are rewritten), a monitoring system outside the cluster may.

## Silent when

The world is open; a workload has no sidecar, or it is not known whether it has one; the mode is not written but inherited.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.proxies import listed, proxies, servers
from meshcheck.lint.rule import Found, found, rule
from meshcheck.lint.webhooks import called_services
from meshcheck.model.core import Workload
from meshcheck.semantics.gateway.pods import is_gateway
from meshcheck.semantics.tracing.server import peer_mode

_KINDS = ("Workload", "Service", "Ingress", "Namespace")
_FIELD = ("spec", "mtls", "mode")


@rule("MC408", "permissive-leftover", severity="info", needs="absence", confidence="medium", kinds=_KINDS, audience="security")
def check(evidence: Evidence) -> Iterator[Found]:
    """Doors that stayed open for callers who are gone."""
    policies = [p for p in evidence.of("PeerAuthentication") if p.mode == "PERMISSIVE"]
    everything = servers(evidence)
    inside = {id(w) for w in proxies(evidence)}
    if not policies or len(everything) < 2 or evidence.of("Ingress") or not all(id(w) in inside for w in everything):
        return
    for policy in policies:
        modes = ((w, peer_mode(evidence.world, w, 0)) for w in everything if not is_gateway(w))
        open_ones = [w for w, mode in modes if mode.policy is policy and mode.field == _FIELD]
        if open_ones and not any(_is_called_from_outside(evidence, w) for w in open_ones):
            message = f"plaintext is taken at {listed(open_ones)}, and every workload here has a sidecar: STRICT shuts nobody out"
            yield found(policy.meta, _FIELD, message)


def _is_called_from_outside(evidence: Evidence, workload: Workload) -> bool:
    """Whether something without a sidecar may call a workload: through a node or load balancer, or the API server."""
    called = evidence.once("services of webhooks", lambda: _of_webhooks(evidence))
    services = evidence.world.services_of(workload)
    return any(s.kind in ("NodePort", "LoadBalancer") or s.external_addresses or (s.namespace, s.name) in called for s in services)


def _of_webhooks(evidence: Evidence) -> set[tuple[str, str]]:
    return {(str(service.get("namespace")), str(service.get("name"))) for _, _, _, service, _ in called_services(evidence)}
