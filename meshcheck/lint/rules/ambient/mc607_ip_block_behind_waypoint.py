"""An address rule at a workload behind a waypoint: the address is the waypoint's.

## Finds

`ipBlocks` and `source.ip` with a block of at most 256 addresses, in policies that ztunnel applies to a workload all of whose Services use a
waypoint.

## Why it matters

Behind a waypoint ztunnel sees the waypoint's address, never the client's. An ALLOW rule for a client's address admits nobody, a DENY
rule for it stops nobody.

## Avoid

```yaml
spec:
  selector: {matchLabels: {app: cart}}                    # its Service has a waypoint
  action: DENY
  rules: [{from: [{source: {ipBlocks: [10.1.2.3]}}]}]
```

## Prefer

```yaml
spec:
  targetRefs: [{group: "", kind: Service, name: cart}]
  action: DENY
  rules: [{from: [{source: {remoteIpBlocks: [10.1.2.3]}}]}]
```

At the waypoint the connection is one of Envoy with itself, so that `ipBlocks` match nothing there; the client's address is that of
`remoteIpBlocks`.

## Exceptions

A rule for calls to the pod's own address, which do not take the detour; the address of the waypoint itself.

## Silent when

It is not known that the workload is in ambient mode and that its Services use a waypoint of Istio; blocks that may hold all pods.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.ambient import at_ztunnel, bound_to
from meshcheck.lint.evidence import Evidence
from meshcheck.lint.fields import source_values
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.core import Workload
from meshcheck.model.gateway_api import Gateway
from meshcheck.semantics.ambient.ztunnel import is_sent


@rule("MC607", "ip-block-behind-waypoint", severity="warning", needs="documents", confidence="medium")
def check(evidence: Evidence) -> Iterator[Found]:
    """Addresses of clients that ztunnel does not see."""
    for policy, path, value in source_values(evidence, "ipBlocks", "source.ip"):
        if not is_sent(policy) or not _small(value):
            continue
        for workload in at_ztunnel(evidence, policy)[:1]:
            gateway = _waypoint(evidence, workload)
            if gateway is not None:
                words = (
                    f"`{value}` is compared with the address of the waypoint `{gateway.meta.name}`: behind it {workload} sees no client's"
                )
                yield found(policy.meta, path, words, ("the waypoint", gateway.meta, ("metadata", "name")))


def _waypoint(evidence: Evidence, workload: Workload) -> Gateway | None:
    """A waypoint of a workload all of whose Services use one."""
    found = [bound_to(evidence, service) for service in evidence.world.services_of(workload)]
    return found[0] if found and None not in found else None


def _small(value: str) -> bool:
    from ipaddress import ip_network

    try:
        return ip_network(value, strict=False).num_addresses <= 256
    except ValueError:
        return False
