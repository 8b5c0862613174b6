"""Istio's security kinds. Values were admitted before, so types can be trusted; Istio reads snake_case names as well."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshcheck.decode.attachment import decode_attachment
from meshcheck.model.istio_security import (
    AuthorizationPolicy,
    Field,
    JwtRule,
    PeerAuthentication,
    RequestAuthentication,
    Rule,
    TokenHeader,
)
from meshcheck.model.objects import Meta, Path

_EMPTY: Mapping[str, Any] = {}
_SOURCE = ("principals", "requestPrincipals", "namespaces", "serviceAccounts", "trustDomains", "ipBlocks", "remoteIpBlocks")
_OPERATION = ("hosts", "ports", "methods", "paths")


def _negative(name: str) -> str:
    return "not" + name[0].upper() + name[1:]


_SOURCE_FIELDS = tuple((written, name, written != name) for name in _SOURCE for written in (name, _negative(name)))
_OPERATION_FIELDS = tuple((written, name, written != name) for name in _OPERATION for written in (name, _negative(name)))


def decode_authorization_policy(value: Mapping[str, Any], meta: Meta) -> AuthorizationPolicy:
    """An AuthorizationPolicy."""
    spec = value.get("spec") or _EMPTY
    rules = []
    for index, rule in enumerate(spec.get("rules") or ()):
        if rule is None:
            continue
        here: Path = ("spec", "rules", index)
        rules.append(
            Rule(
                index=index,
                sources=tuple(
                    _fields(item.get("source") or _EMPTY, (*here, "from", n, "source"), _SOURCE_FIELDS)
                    for n, item in enumerate(rule.get("from") or ())
                ),
                operations=tuple(
                    _fields(item.get("operation") or _EMPTY, (*here, "to", n, "operation"), _OPERATION_FIELDS)
                    for n, item in enumerate(rule.get("to") or ())
                ),
                conditions=tuple(field for n, item in enumerate(rule.get("when") or ()) for field in _condition(item, (*here, "when", n))),
            )
        )
    action = spec.get("action") or "ALLOW"
    return AuthorizationPolicy(
        meta=meta,
        attachment=decode_attachment(spec),
        action=action,
        rules=tuple(rules),
        provider=(spec.get("provider") or _EMPTY).get("name"),
        dry_run=_boolean(meta.annotations.get("istio.io/dry-run", "")) and action in ("ALLOW", "DENY"),
    )


def _fields(values: Mapping[str, Any], path: Path, known: tuple[tuple[str, str, bool], ...]) -> tuple[Field, ...]:
    return tuple(Field(name, tuple(values[written]), negated, (*path, written)) for written, name, negated in known if values.get(written))


def _condition(item: Mapping[str, Any], path: Path) -> list[Field]:
    out = []
    if item.get("values"):
        out.append(Field(item["key"], tuple(item["values"]), False, (*path, "values")))
    if item.get("notValues"):
        out.append(Field(item["key"], tuple(item["notValues"]), True, (*path, "notValues")))
    return out


def _boolean(text: str) -> bool:
    """Go's strconv.ParseBool, which reads the dry-run annotation."""
    return text in ("1", "t", "T", "true", "TRUE", "True")


def decode_request_authentication(value: Mapping[str, Any], meta: Meta) -> RequestAuthentication:
    """A RequestAuthentication."""
    spec = value.get("spec") or _EMPTY
    rules = []
    for n, rule in enumerate(spec.get("jwtRules") or ()):
        rules.append(
            JwtRule(
                issuer=rule.get("issuer") or "",
                audiences=tuple(rule.get("audiences") or ()),
                jwks=rule.get("jwks") or None,
                jwks_uri=rule.get("jwksUri") or rule.get("jwks_uri") or None,
                headers=tuple(TokenHeader(h["name"], h.get("prefix") or "") for h in rule.get("fromHeaders") or ()),
                params=tuple(rule.get("fromParams") or ()),
                cookies=tuple(rule.get("fromCookies") or ()),
                forward=bool(rule.get("forwardOriginalToken")),
                space_delimited=tuple(rule.get("spaceDelimitedClaims") or ()),
                claim_headers=tuple((c["header"], c["claim"]) for c in rule.get("outputClaimToHeaders") or ()),
                payload_header=rule.get("outputPayloadToHeader") or "",
                path=("spec", "jwtRules", n),
            )
        )
    return RequestAuthentication(meta, decode_attachment(spec), tuple(rules))


def decode_peer_authentication(value: Mapping[str, Any], meta: Meta) -> PeerAuthentication:
    """A PeerAuthentication."""
    spec = value.get("spec") or _EMPTY
    selector = spec.get("selector")
    return PeerAuthentication(
        meta=meta,
        selector=(selector.get("matchLabels") or {}) if selector is not None else None,
        mode=(spec.get("mtls") or _EMPTY).get("mode") or "UNSET",
        ports={int(port): (item or _EMPTY).get("mode") or "UNSET" for port, item in (spec.get("portLevelMtls") or _EMPTY).items()},
    )
