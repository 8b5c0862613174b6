"""Port 15008 is open to everybody, so the NetworkPolicy protects no port, and no AuthorizationPolicy does.

## Finds

Rules without peers that name port 15008, of policies that select pods in ambient mode to which no AuthorizationPolicy applies.

## Why it matters

All calls of the mesh arrive on 15008, whatever port they are for. Once it is open, the other entries of `ports` tell nothing apart between
pods of the mesh.

## Avoid

```yaml
ingress: [{ports: [{port: 8080}, {port: 15008}]}]      # and nothing else
```

## Prefer

```yaml
kind: AuthorizationPolicy
spec:
  selector: {matchLabels: {app: cart}}
  rules: [{to: [{operation: {ports: ["8080"]}}]}]
```

## Exceptions

A pod all of whose ports are for everybody.

## Silent when

Not all policies are known; the rule has peers; the pod has one port only.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.ambient import is_captured, sent_to, waypoint_of
from meshcheck.lint.evidence import Evidence
from meshcheck.lint.network_policies import is_single, selected
from meshcheck.lint.proxies import listed, workload_ports
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.core import Workload
from meshcheck.model.network_policy import INGRESS

_HBONE = 15008
_KINDS = ("AuthorizationPolicy", "NetworkPolicy", "Service", "Namespace")


@rule("MC713", "hbone-opens-everything", severity="warning", needs="absence", kinds=_KINDS, audience="security")
def check(evidence: Evidence) -> Iterator[Found]:
    """Tunnels that are open to everybody."""
    for policy in evidence.of("NetworkPolicy"):
        for one in policy.ingress if INGRESS in policy.directions else ():
            span = next((s for s in one.ports if is_single(s) and s.low == _HBONE), None)
            if span is not None and not one.peers:
                bare = [w for w in selected(evidence, policy) if _bare(evidence, w)]
                if bare:
                    words = f"every port of {listed(bare)} is open to the mesh by this: its calls all arrive on {_HBONE}, "
                    yield found(policy.meta, (*span.field, "port"), words + "and no AuthorizationPolicy tells them apart")


def _bare(evidence: Evidence, workload: Workload) -> bool:
    if not is_captured(evidence, workload) or sent_to(evidence, workload) or len(workload_ports(evidence, workload)) < 2:
        return False
    return not any(waypoint_of(evidence, service).use for service in evidence.world.services_of(workload))
