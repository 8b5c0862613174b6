"""An address block names the address of a Service, which network policies never see.

## Finds

Egress peers with an `ipBlock` of one address that is the `clusterIP` of a Service.

## Why it matters

The address of a Service is replaced by a pod's before most network plugins look at the packet. The block matches nothing, and the calls are
dropped.

## Avoid

```yaml
egress: [{to: [{ipBlock: {cidr: 10.96.0.10/32}}]}]
```

## Prefer

```yaml
egress: [{to: [{podSelector: {matchLabels: {app: cart}}}]}]
```

## Exceptions

Plugins that decide before the address is replaced.

## Silent when

The Service has no address in the input, or none but hand-made endpoints.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.network_policies import peers_of
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.core import Service
from meshcheck.model.network_policy import EGRESS, BlockPeer


@rule("MC719", "service-ip-block", severity="error", needs="documents", confidence="medium")
def check(evidence: Evidence) -> Iterator[Found]:
    """Blocks of one Service."""
    known: dict[str, Service] = {ip: s for s in evidence.world.services if s.selector for ip in s.cluster_ips}
    for policy in evidence.of("NetworkPolicy") if known else ():
        for _, peer in peers_of(policy, EGRESS):
            address, _, length = peer.cidr.partition("/") if isinstance(peer, BlockPeer) else ("", "", "")
            service = known.get(address) if length in ("32", "128") else None
            if service is not None:
                words = f"{address} is the address of Service {service.namespace}/{service.name}, which is replaced by a pod's before "
                related = ("the Service", service.meta, ("spec", "clusterIP"))
                yield found(policy.meta, (*peer.field, "cidr"), words + "policies are asked: select its pods by label", related)
