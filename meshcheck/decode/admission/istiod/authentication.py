"""RequestAuthentication and PeerAuthentication.

Source: istio/istio:pkg/config/validation/validation.go:ValidateRequestAuthentication, ValidatePeerAuthentication.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshcheck.decode.admission.faults import Check, Faults, at, below
from meshcheck.decode.admission.istiod.attachment import attachment
from meshcheck.decode.admission.istiod.names import durations
from meshcheck.decode.admission.words import shown
from meshcheck.model.pattern import pattern

_PORT = pattern(r"\w+://(?:[^/@]*@)?(?:\[[^\]]*\]|[^/:?#]*)(?::([^/?#]*))?")


def _request_authentication(value: dict[str, Any]) -> Faults:
    spec = value.get("spec") or {}
    bad = below(attachment(spec), "spec")
    for number, rule in enumerate(spec.get("jwtRules") or ()):
        bad += below(_jwt_rule(rule), "spec", "jwtRules", number)
    return bad or None


def _jwt_rule(rule: dict[str, Any]) -> Faults:
    uri = rule.get("jwksUri") or rule.get("jwks_uri") or ""
    if not rule.get("issuer") and not uri:
        return at("`issuer` or `jwksUri` is required")
    port = _PORT.match(uri)
    if port and port[1] and not port[1].isdecimal():
        return at(f"`{shown(port[1])}` is no port", "jwksUri")
    if rule.get("jwks") and (said := _jwks(rule["jwks"])):
        return at(said, "jwks")
    return durations(rule, "timeout")


def _jwks(text: str) -> str | None:
    """Keys as JSON: one, or a set; each needs what its type needs."""
    import json

    try:
        value, _ = json.JSONDecoder().raw_decode(text.lstrip())  # Istio reads the first value, whatever follows
    except (ValueError, RecursionError):
        return "is no JSON"
    keys = value.get("keys") if isinstance(value, dict) and "keys" in value else [value]
    if not isinstance(keys, list):
        return "`keys` must be a list of keys"
    for key in keys:
        if not isinstance(key, dict) or key.get("kty") not in _KEY_PARTS:
            return "holds something that is no key: `kty` must be `RSA`, `EC`, `OKP` or `oct`"
        for part in _KEY_PARTS[key["kty"]]:
            if not isinstance(key.get(part), str) or not _is_base64url(key[part], part):
                return f"a key of type `{key['kty']}` needs `{part}`"
    return None


_KEY_PARTS = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x"), "oct": ("k",)}


def _is_base64url(text: str, part: str) -> bool:
    import base64

    if part == "crv":
        return bool(text)
    try:
        base64.urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))
    except ValueError:
        return False
    return bool(text)


def _peer_authentication(value: dict[str, Any]) -> Faults:
    """What the webhook refuses, the CRD does as well, but for wildcards in selectors of old CRDs."""
    return below(attachment({"selector": (value.get("spec") or {}).get("selector")}), "spec") or None


CHECKS: Mapping[str, Check] = {"RequestAuthentication": _request_authentication, "PeerAuthentication": _peer_authentication}
