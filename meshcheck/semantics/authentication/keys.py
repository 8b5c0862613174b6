"""JSON Web Keys, and whether one of them made a signature. The library for it is imported when the first token is checked.

Source: google/jwt_verify_lib:src/jwks.cc, src/verify.cc.
"""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

ALGORITHMS = frozenset(
    ["ES256", "ES384", "ES512", "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "EdDSA"]
)
_FAMILY = {"RS": "RSA", "PS": "RSA", "ES": "EC", "HS": "oct", "Ed": "OKP"}
_CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}


class BadBase64(ValueError):
    """Text that is not unpadded base64url."""


def decode_base64url(text: str) -> bytes:
    """Bytes of unpadded base64url. Raises BadBase64."""
    import base64

    if not text.isascii() or "=" in text or "+" in text or "/" in text or len(text) % 4 == 1:
        raise BadBase64(text)
    try:
        raw = base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise BadBase64(text) from None
    if encode_base64url(raw) != text:
        raise BadBase64(text)
    return raw


def encode_base64url(raw: bytes) -> str:
    """Unpadded base64url."""
    import base64

    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@lru_cache(maxsize=256)
def parse_jwks(text: str) -> tuple[Mapping[str, Any], ...] | None:
    """The usable keys of a key set; None when there is none."""
    import json

    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    keys = value.get("keys") if isinstance(value, dict) else None
    if not isinstance(keys, list):
        return None
    usable = tuple(key for key in keys if isinstance(key, dict) and key.get("kty") in _FAMILY.values())
    return usable or None


def fits(key: Mapping[str, Any], algorithm: str, kid: str | None) -> bool:
    """Whether a key may be tried for a token with this `alg` and `kid`."""
    if kid and key.get("kid") and key["kid"] != kid:
        return False
    if key.get("alg") and key["alg"] != algorithm:
        return False
    if _FAMILY[algorithm[:2]] != key.get("kty"):
        return False
    return algorithm not in _CURVES or key.get("crv", _CURVES[algorithm]) == _CURVES[algorithm]


def _number(key: Mapping[str, Any], name: str) -> int:
    return int.from_bytes(decode_base64url(str(key.get(name, ""))), "big")


def verifies(key: Mapping[str, Any], algorithm: str, signed: bytes, signature: bytes) -> bool:
    """Whether the signature is this key's; False as well for a key that cannot be read."""
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    try:
        _verify(key, algorithm, signed, signature)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True


def _verify(key: Mapping[str, Any], algorithm: str, signed: bytes, signature: bytes) -> None:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes, hmac
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

    digests: dict[str, Any] = {"256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512}
    digest = digests.get(algorithm[2:], hashes.SHA512)()
    family = algorithm[:2]
    if family in ("RS", "PS"):
        public = rsa.RSAPublicNumbers(_number(key, "e"), _number(key, "n")).public_key()
        pad: Any = padding.PKCS1v15() if family == "RS" else padding.PSS(padding.MGF1(digest), digest.digest_size)
        public.verify(signature, signed, pad, digest)
    elif family == "ES":
        curves: dict[str, Any] = {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1}
        curve = curves[algorithm]()
        size = (curve.key_size + 7) // 8
        if len(signature) != 2 * size:
            raise InvalidSignature
        der = utils.encode_dss_signature(int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big"))
        ec.EllipticCurvePublicNumbers(_number(key, "x"), _number(key, "y"), curve).public_key().verify(der, signed, ec.ECDSA(digest))
    elif family == "HS":
        mac = hmac.HMAC(decode_base64url(str(key.get("k", ""))), digest)
        mac.update(signed)
        mac.verify(signature)
    else:
        ed25519.Ed25519PublicKey.from_public_bytes(decode_base64url(str(key.get("x", "")))).verify(signature, signed)
