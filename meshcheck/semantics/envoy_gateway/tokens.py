"""JWT of a SecurityPolicy, in the terms of the token checks that Istio shares with it: both are Envoy's.

Source: envoyproxy/gateway:internal/xds/translator/jwt.go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from meshcheck.model.istio_security import Attachment, JwtRule, RequestAuthentication, TokenHeader
from meshcheck.model.objects import Meta
from meshcheck.semantics.authentication import requests
from meshcheck.semantics.world.world import World

MISSING = "Jwt is missing"


def providers(world: World, meta: Meta, settings: Mapping[str, Any]) -> dict[str, requests.Provider]:
    """The providers by name."""
    out = {}
    for n, item in enumerate(settings.get("providers") or ()):
        rule = _rule(world, meta, item, ("spec", "jwt", "providers", n))
        out[str(item.get("name") or n)] = requests.Provider(RequestAuthentication(meta, Attachment(None, ()), (rule,)), rule)
    return out


def _rule(world: World, meta: Meta, item: Mapping[str, Any], path: tuple[str | int, ...]) -> JwtRule:
    places = item.get("extractFrom") or {}
    return JwtRule(
        issuer=item.get("issuer") or "",
        audiences=tuple(item.get("audiences") or ()),
        jwks=_local_keys(world, meta, item.get("localJWKS") or {}),
        jwks_uri=(item.get("remoteJWKS") or {}).get("uri"),
        headers=tuple(TokenHeader(h.get("name") or "", h.get("valuePrefix") or "") for h in places.get("headers") or ()),
        params=tuple(places.get("params") or ()),
        cookies=tuple(places.get("cookies") or ()),
        forward=True,
        space_delimited=(),
        claim_headers=tuple((h.get("header") or "", h.get("claim") or "") for h in item.get("claimToHeaders") or ()),
        payload_header="",
        path=path,
    )


def _local_keys(world: World, meta: Meta, local: Mapping[str, Any]) -> str | None:
    if local.get("inline"):
        return str(local["inline"])
    name = (local.get("valueRef") or {}).get("name")
    found = world.config_map(meta.namespace, name) if name else None
    text = (found[1].get("jwks") or next(iter(found[1].values()), None)) if found is not None else None
    return str(text) if text is not None else None


def check(
    found: Mapping[str, requests.Provider], method: str, query: str, headers: Mapping[str, Sequence[str]],
    claims: Mapping[str, Any] | None, now: float,
) -> requests.Outcome:  # fmt: skip
    """As Envoy checks; without a token the outcome is empty."""
    every = tuple(found.values())
    if claims is not None:
        return requests.check_claims(every, claims, now)
    return requests.check(every, method, query, headers, now)
