"""Signs tokens with throw-away keys, one for each issuer; the public halves go into RequestAuthentications."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _number(value: int) -> str:
    return _b64(value.to_bytes((value.bit_length() + 7) // 8, "big"))


class Jwt:
    """Keys of a few issuers, and of a stranger whom nobody trusts."""

    def __init__(self, issuers: Iterable[str]) -> None:
        self._keys = {issuer: rsa.generate_private_key(65537, 2048) for issuer in issuers}
        self._stranger = rsa.generate_private_key(65537, 2048)

    def jwks(self, issuer: str) -> str:
        """The issuer's public key as a JWKS document."""
        n = self._keys[issuer].public_key().public_numbers()
        return json.dumps({"keys": [{"kty": "RSA", "kid": issuer, "alg": "RS256", "use": "sig", "n": _number(n.n), "e": _number(n.e)}]})

    def sign(self, claims: Mapping[str, Any], issuer: str | None) -> str:
        """A token with these claims, signed by the issuer's key, or by the stranger's."""
        key = self._keys.get(issuer, self._stranger) if issuer else self._stranger
        head = {"alg": "RS256", "typ": "JWT", "kid": issuer or "stranger"}
        signed = _b64(json.dumps(head).encode()) + "." + _b64(json.dumps(claims).encode())
        return signed + "." + _b64(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))
