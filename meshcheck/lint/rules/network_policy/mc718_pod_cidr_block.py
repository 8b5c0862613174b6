"""An address block of a NetworkPolicy means pods of the cluster by their addresses.

## Finds

Peers with an `ipBlock` that holds the address of a pod of the input, as far as no `except` takes it out.

## Why it matters

A pod has another address after each restart. Whether a block means pods at all differs between network plugins (those that know pods by
identity leave them out), and where addresses are translated before the policy is asked, the block sees the translated one.

## Avoid

```yaml
ingress: [{from: [{ipBlock: {cidr: 10.244.3.17/32}}]}]
```

## Prefer

```yaml
ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]
```

## Exceptions

Whole ranges of private addresses are not reported: they usually mean the network around the cluster.

## Silent when

The input holds no addresses of pods (manifests rarely do: it takes a cluster or a snapshot); the block is everything, or one of the ranges
for private networks as a whole; the pod is in the host's network.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.network_policies import DIRECTIONS, peers_of
from meshcheck.lint.proxies import listed
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.core import Workload
from meshcheck.model.network_policy import BlockPeer
from meshcheck.semantics.addresses import Address, parse_address, parse_block

_WHOLE = tuple(parse_block(t) for t in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"))
"""Ranges for private networks: RFC 1918, RFC 6598, RFC 4193."""
_WIDE = 8


@rule("MC718", "pod-cidr-block", severity="warning", needs="documents", confidence="medium")
def check(evidence: Evidence) -> Iterator[Found]:
    """Blocks that hold a pod's address; each block is looked up once."""
    for policy in evidence.of("NetworkPolicy"):
        for direction in DIRECTIONS:
            for _, peer in peers_of(policy, direction):
                pods = _held(evidence, peer) if isinstance(peer, BlockPeer) else ()
                if isinstance(peer, BlockPeer) and pods:
                    message = f"{peer.cidr} holds the address of {listed(pods)}: pods change addresses, and not every network plugin"
                    related = ("a pod in it", pods[0].meta, ("status", "podIP"))
                    yield found(policy.meta, (*peer.field, "cidr"), f"{message} lets blocks mean pods; select them by label", related)


def _held(evidence: Evidence, peer: BlockPeer) -> tuple[Workload, ...]:
    def find() -> tuple[Workload, ...]:
        block = parse_block(peer.cidr)
        if block is None or block in _WHOLE or block.bits - block.shift < _WIDE:
            return ()
        excepts = [b for text in peer.excepts if (b := parse_block(text)) is not None]
        return tuple(w for address, w in _pods(evidence) if block.holds(address) and not any(b.holds(address) for b in excepts))

    return evidence.once(("pods in block", peer.cidr, peer.excepts), find)


def _pods(evidence: Evidence) -> tuple[tuple[Address, Workload], ...]:
    """(address, pod) of pods that run, without those in the host's network."""

    def find() -> tuple[tuple[Address, Workload], ...]:
        here = (w for w in evidence.of("Workload") if w.kind == "Pod" and not w.host_network and not w.ended)
        return tuple((address, w) for w in here for text in w.addresses if (address := parse_address(text)) is not None)

    return evidence.once("addresses of pods", find)
