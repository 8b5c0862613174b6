"""An address block is no address block, or is wider than it looks.

## Finds

`ipBlocks`, `remoteIpBlocks`, their not-twins, `source.ip`, `remote.ip` and `destination.ip` with a value that is neither an address nor a
CIDR (which is refused), or with a CIDR whose address has bits set behind its prefix.

## Why it matters

`10.1.2.3/8` is `10.0.0.0/8`: Envoy cuts the address at the prefix, so the rule is for sixteen million addresses instead of one. A value
that cannot be read makes Istio refuse the whole policy.

## Avoid

```yaml
ipBlocks: ["10.1.2.3/8", "10.0.0.256"]
```

## Prefer

```yaml
ipBlocks: ["10.1.2.3", "10.0.0.0/8"]
```

## Exceptions

Somebody who writes the address of a host with the length of its network, and means the network.

## Silent when

Never: one document is enough.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.decode.admission import Problem
from meshcheck.lint.evidence import Evidence
from meshcheck.lint.fields import texts_of
from meshcheck.lint.repair import replacing
from meshcheck.lint.rule import Found, found, rule

_FIELDS = ("ipBlocks", "remoteIpBlocks", "source.ip", "remote.ip", "destination.ip")


def _claims(kind: str, problem: Problem) -> bool:
    """Istio's refusal of what is no address."""
    return kind == "AuthorizationPolicy" and "neither an IP address nor a CIDR" in problem.message


@rule("MC225", "bad-ip-block", severity="warning", needs="document", claims=_claims)
def check(evidence: Evidence) -> Iterator[Found]:
    """Blocks with host bits set."""
    for policy, path, value in texts_of(evidence, *_FIELDS):
        if network := _wider(value):
            words = f"`{value}` is the whole of `{network}`: what stands behind the prefix is cut off"
            fix = replacing(policy.meta, path, network, f"write `{network}`, which is what it means now")
            yield found(policy.meta, path, words, fix=fix)


def _wider(value: str) -> str | None:
    """The network that a block with host bits stands for; None for others."""
    from ipaddress import ip_network

    if "/" not in value:
        return None
    network = str(ip_network(value, strict=False))
    base = value.partition("/")[0]
    return network if ip_network(f"{base}/{network.partition('/')[2]}", strict=False).network_address != _address(base) else None


def _address(text: str) -> object:
    from ipaddress import ip_address

    return ip_address(text)
