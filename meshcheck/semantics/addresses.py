"""IP addresses and CIDR blocks as numbers; the standard module is imported only where an address is not plain IPv4."""

from __future__ import annotations

from functools import lru_cache

from meshcheck.model.record import NamedTuple
from meshcheck.semantics import watching


class Address(NamedTuple):
    """An IP address: `bits` is 32 or 128."""

    bits: int
    number: int


class Block(NamedTuple):
    """A CIDR block; host bits are cut off, as Envoy does."""

    bits: int
    number: int
    shift: int

    def holds(self, address: Address) -> bool:
        """Whether the address lies inside."""
        found = self.bits == address.bits and self.number == address.number >> self.shift
        if watching.by is not None:
            watching.by.address(self, address.bits, address.number, found)
        return found


@lru_cache(maxsize=65536)
def parse_address(text: str) -> Address | None:
    """An IPv4 or IPv6 address; None when it is neither."""
    parts = text.split(".")
    if len(parts) == 4 and all(
        part.isascii() and part.isdigit() and len(part) < 4 and int(part) < 256 and (part == "0" or part[0] != "0") for part in parts
    ):
        a, b, c, d = map(int, parts)
        return Address(32, a << 24 | b << 16 | c << 8 | d)
    if ":" not in text:
        return None
    from ipaddress import IPv6Address

    try:
        return Address(128, int(IPv6Address(text.split("%")[0])))
    except ValueError:
        return None


@lru_cache(maxsize=65536)
def parse_block(text: str) -> Block | None:
    """An address or a CIDR block; None when it is neither."""
    base, slash, length = text.partition("/")
    address = parse_address(base)
    if address is None or (slash and not (length.isascii() and length.isdigit())):
        return None
    prefix = int(length) if slash else address.bits
    if prefix > address.bits:
        return None
    shift = address.bits - prefix
    return Block(address.bits, address.number >> shift, shift)
