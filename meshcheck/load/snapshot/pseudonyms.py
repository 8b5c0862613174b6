"""Words and addresses under a key: what is equal stays equal, what begins alike begins alike, and only the key leads back.

Letters become letters and digits digits, one by one, each by a shift that hangs on all before it: so lengths, beginnings (`web-*`) and the
rules of names stay. Addresses keep their common beginnings bit by bit, so a block holds the addresses that it held.

Source: J. Fan et al., «Prefix-preserving IP address anonymization» (Crypto-PAn), Computer Networks 46 (2004).
"""

from __future__ import annotations

import hashlib
import hmac
from functools import lru_cache
from ipaddress import ip_address, ip_network

_KEPT = tuple(ip_network(text) for text in ("127.0.0.0/8", "169.254.169.254/32", "255.255.255.255/32", "::1/128"))


class Pseudonyms:
    """Made from a key (bytes); the same key makes the same pseudonyms."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.word = lru_cache(maxsize=65536)(self._word)
        self.address = lru_cache(maxsize=65536)(self._address)

    def _shift(self, kind: bytes, before: str) -> int:
        return int.from_bytes(hmac.new(self._key, kind + before.encode(), hashlib.sha256).digest()[:8], "big")

    def _word(self, text: str) -> str:
        """A word of lower-case letters and digits."""
        out = ""
        for n, letter in enumerate(text):
            first, size = ("0", 10) if letter.isdigit() else ("a", 26)
            out += chr(ord(first) + (ord(letter) - ord(first) + self._shift(b"w", text[:n])) % size)
        return out

    def _address(self, text: str) -> str:
        """An address or a block (`10.0.0.0/8`); loopback, metadata server and broadcast stay. Raises ValueError for anything else."""
        address, slash, length = text.partition("/")
        found = ip_address(address)
        if any(found in kept for kept in _KEPT if kept.version == found.version) or int(found) == 0:
            return text
        size = found.max_prefixlen
        known = int(length) if slash else size
        bits, out = format(int(found), f"0{size}b"), ""
        for n in range(known):
            out += str(int(bits[n]) ^ (self._shift(str(found.version).encode(), bits[:n]) & 1))
        new = ip_address(int(out.ljust(size, "0") or "0", 2).to_bytes(size // 8, "big"))
        return f"{new}{slash}{length}"
