"""A rule compares the address of the connection, and a gateway stands between the client and the workload.

## Finds

`ipBlocks`, `notIpBlocks` and `source.ip` in policies for a sidecar to which a gateway or an ingress controller of the input leads calls
from outside.

## Why it matters

A sidecar sees the address of the last hop: the gateway's pod. An ALLOW for the addresses of an office admits none of its clients, and an
ALLOW for a private range admits the whole world through the gateway (istio/istio#30166).

## Avoid

```yaml
kind: AuthorizationPolicy
metadata: {namespace: shop}
spec:
  rules: [{from: [{source: {ipBlocks: [203.0.113.0/24]}}]}]
```

## Prefer

```yaml
kind: AuthorizationPolicy
metadata: {namespace: istio-system}
spec:
  selector: {matchLabels: {istio: ingressgateway}}
  rules: [{from: [{source: {remoteIpBlocks: [203.0.113.0/24]}}]}]
```

## Exceptions

A rule that is for callers inside the cluster only: with private addresses alone, the finding has medium confidence.

## Silent when

No way from outside to the workload is in the input. Gateways are MC228's.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.client_addresses import PEER, address_fields, enforcing, ways_through_proxies
from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, found, rule


@rule("MC226", "ip-block-behind-proxy", severity="warning", needs="documents")
def check(evidence: Evidence) -> Iterator[Found]:
    """Addresses of connections that a gateway makes."""
    for policy, _, _, field in address_fields(evidence, PEER):
        ways = ways_through_proxies(evidence)
        for workload in enforcing(evidence, policy, gateways=False):
            way = ways.get((workload.namespace, workload.name))
            if way is not None:
                inside = all(_is_private(value) for value in field.values)
                words = f"calls from outside reach {workload} through {way.entry}, and this sees the address of that, not the client's"
                hint = "; compare `remoteIpBlocks` at the gateway"
                place = (f"the way {way.address} {way.path}", way.owner, ("spec",))
                yield found(policy.meta, field.path, words + hint, place, confidence="medium" if inside else None)
                break


def _is_private(block: str) -> bool:
    from ipaddress import ip_network

    return ip_network(block, strict=False).is_private
