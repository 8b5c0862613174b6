"""IP addresses and CIDRs as Kubernetes reads them: strictly in new fields, kindly in old ones.

Sources: kubernetes/kubernetes:staging/src/k8s.io/apimachinery/pkg/util/validation/ip.go.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from meshcheck.decode.admission.words import shown

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network


@lru_cache(1024)
def address(text: str) -> IPv4Address | IPv6Address | None:
    """The address, or None."""
    from ipaddress import ip_address

    if "%" in text or not text.isascii():
        return None
    try:
        return ip_address(text)
    except ValueError:
        return None


@lru_cache(1024)
def network(text: str) -> IPv4Network | IPv6Network | None:
    """The network, with host bits dropped, or None; a length must stand there in digits."""
    from ipaddress import ip_network

    base, slash, length = text.partition("/")
    if not slash or not length.isdigit() or not length.isascii() or (len(length) > 1 and length[0] == "0") or address(base) is None:
        return None
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def cidr(text: str) -> str | None:
    """A CIDR of a NetworkPolicy or a load balancer: no host bits, no leading zeros, no IPv4 in IPv6."""
    found = network(text)
    if found is None:
        return f"`{shown(text)}` is no CIDR such as `10.0.0.0/8` or `fd00::/8`{_length_hint(text)}"
    if _is_mapped(address(text.partition("/")[0])):
        return f"`{shown(text)}` is an IPv4 address written as IPv6; write the IPv4 CIDR"
    if address(text.partition("/")[0]) != found.network_address:
        return f"`{shown(text)}` has bits set beyond its prefix length; write `{found}`"
    return None


def plain_cidr(text: str) -> str | None:
    """A CIDR as `isCIDR` of CRDs takes it: host bits may be set."""
    found = network(text)
    if found is None or _is_mapped(address(text.partition("/")[0])):
        return f"`{shown(text)}` is no CIDR such as `10.0.0.0/8` or `fd00::/8`{_length_hint(text)}"
    return None


def ip(text: str) -> str | None:
    """An IP address."""
    found = address(text)
    if found is None:
        return f"`{shown(text)}` is no IP address"
    if _is_mapped(found):
        return f"`{shown(text)}` is an IPv4 address written as IPv6; write the IPv4 address"
    return None


def _is_mapped(found: IPv4Address | IPv6Address | None) -> bool:
    """Whether an IPv6 address stands for an IPv4 address."""
    return found is not None and found.version == 6 and found.ipv4_mapped is not None


def _length_hint(text: str) -> str:
    found = address(text)
    return "" if found is None else f"; for one address write `{text}/{32 if found.version == 4 else 128}`"
