"""A named port to an address outside cannot be resolved.

## Finds

Egress rules all of whose peers are `ipBlock` and whose `ports` hold a name.

## Why it matters

A name is looked up among the container ports of the pod that is called. An address outside the cluster has none, so the rule opens nothing.

## Avoid

```yaml
egress: [{to: [{ipBlock: {cidr: 203.0.113.0/24}}], ports: [{port: https}]}]
```

## Prefer

```yaml
egress: [{to: [{ipBlock: {cidr: 203.0.113.0/24}}], ports: [{port: 443}]}]
```

## Exceptions

None.

## Silent when

Another peer of the rule means pods.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.network_policy import EGRESS, BlockPeer


@rule("MC710", "named-port-on-ip-peer", severity="error", needs="document")
def check(evidence: Evidence) -> Iterator[Found]:
    """Names of ports of addresses."""
    for policy in evidence.of("NetworkPolicy"):
        for one in policy.egress if EGRESS in policy.directions else ():
            if one.peers and all(isinstance(peer, BlockPeer) for peer in one.peers):
                for span in one.ports:
                    if span.name is not None:
                        words = f"port name `{span.name}` cannot be resolved for addresses outside the cluster: write the number"
                        yield found(policy.meta, (*span.field, "port"), words)
