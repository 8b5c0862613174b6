"""One token: its parts, its times, its audience and its signature, in the order in which Envoy looks at them.

Sources: envoyproxy/envoy:source/extensions/filters/http/jwt_authn/authenticator.cc; google/jwt_verify_lib:src/jwt.cc, src/status.cc.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from meshcheck.model.record import record
from meshcheck.semantics.authentication import keys
from meshcheck.semantics.watching import Pattern

SKEW = 60
"""Seconds by which clocks may differ."""

BAD_FORM = "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections"
UNKNOWN_ISSUER = "Jwt issuer is not configured"
EXPIRED = "Jwt is expired"
NOT_YET = "Jwt not yet valid"
AUDIENCE = "Audiences in Jwt are not allowed"
NO_KEY = "Jwks doesn't have key to match kid or alg from Jwt"
BAD_SIGNATURE = "Jwt verification fails"
NO_JWKS = "Jwks doesn't have any valid public key"
CANNOT_KNOW = "the keys of the issuer"
"""Not Envoy's: the keys are behind a URI, so nobody can say here whether the signature is right."""


@record
class Token:
    """A parsed token. `claims` is its payload."""

    algorithm: str
    kid: str | None
    claims: Mapping[str, Any]
    signed: bytes
    signature: bytes


class BadToken(ValueError):
    """A token that cannot be parsed; the text is Envoy's."""


@lru_cache(maxsize=4096)
def parse(text: str) -> Token:
    """The parts of a token. Raises BadToken."""
    parts = text.split(".")
    if len(parts) != 3:
        raise BadToken(BAD_FORM)
    header = _object(parts[0], "header")
    algorithm, kid = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str):
        raise BadToken("Jwt header [alg] field is required and must be a string")
    if algorithm not in keys.ALGORITHMS:
        raise BadToken("Jwt header [alg] is not supported")
    if kid is not None and not isinstance(kid, str):
        raise BadToken("Jwt header [kid] field is not a string")
    claims = _object(parts[1], "payload")
    for name in ("iss", "sub", "jti"):
        if name in claims and not isinstance(claims[name], str):
            raise BadToken(f"Jwt payload [{name}] field is not a string")
    for name in ("iat", "nbf", "exp"):
        value = claims.get(name, 0)
        if name in claims and (not isinstance(value, (int, float)) or isinstance(value, bool)):
            raise BadToken(f"Jwt payload [{name}] field is not an integer")
        if name in claims and value < 0:
            raise BadToken(f"Jwt payload [{name}] field is not a positive integer")
    audience = claims.get("aud")
    if "aud" in claims and not (isinstance(audience, str) or (isinstance(audience, list) and all(isinstance(a, str) for a in audience))):
        raise BadToken("Jwt payload [aud] field is not a string or string list")
    try:
        signature = keys.decode_base64url(parts[2])
    except keys.BadBase64:
        raise BadToken("Jwt signature is an invalid Base64url encoded") from None
    return Token(algorithm, kid, claims, f"{parts[0]}.{parts[1]}".encode(), signature)


def _object(text: str, name: str) -> dict[str, Any]:
    import json

    try:
        raw = keys.decode_base64url(text)
    except keys.BadBase64:
        raise BadToken(f"Jwt {name} is an invalid Base64url encoded") from None
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        raise BadToken(f"Jwt {name} is an invalid JSON") from None
    if not isinstance(value, dict):
        raise BadToken(f"Jwt {name} is an invalid JSON")
    return value


def time_problem(claims: Mapping[str, Any], now: float) -> str | None:
    """What is wrong with `nbf` and `exp`; both are optional."""
    if claims.get("nbf", 0) > now + SKEW:
        return NOT_YET
    if "exp" in claims and claims["exp"] and claims["exp"] + SKEW < now:
        return EXPIRED
    return None


def audience_fits(claims: Mapping[str, Any], wanted: tuple[str, ...]) -> bool:
    """Whether one of the token's audiences is wanted; scheme and one trailing slash do not count."""
    if not wanted:
        return True
    found = claims.get("aud")
    have = [found] if isinstance(found, str) else found or [""]
    return not {_bare(a) for a in have}.isdisjoint(_bare(a) for a in wanted)


def audience_patterns(wanted: tuple[str, ...]) -> tuple[Pattern, ...]:
    """What `audience_fits` compares with, for who watches."""
    return tuple(
        Pattern("exact", scheme + _bare(text) + slash) for text in wanted for scheme in ("", "http://", "https://") for slash in ("", "/")
    )


def _bare(audience: str) -> str:
    return audience.removeprefix("https://").removeprefix("http://").removesuffix("/")


@lru_cache(maxsize=4096)
def signature_problem(token: Token, jwks: str) -> str | None:
    """What is wrong with the signature, by an inline key set."""
    usable = keys.parse_jwks(jwks)
    if usable is None:
        return NO_JWKS
    candidates = [key for key in usable if keys.fits(key, token.algorithm, token.kid)]
    if not candidates:
        return NO_KEY
    return None if any(keys.verifies(key, token.algorithm, token.signed, token.signature) for key in candidates) else BAD_SIGNATURE
