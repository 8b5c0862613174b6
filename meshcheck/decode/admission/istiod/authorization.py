"""AuthorizationPolicy.

Source: istio/istio:pkg/config/validation/validation.go:ValidateAuthorizationPolicy, pkg/config/security/security.go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from meshcheck.decode.admission.faults import Check, Faults, at, below
from meshcheck.decode.admission.istiod.attachment import attachment
from meshcheck.decode.admission.istiod.names import subnet
from meshcheck.decode.admission.words import shown
from meshcheck.model.pattern import pattern

_NOT_CUSTOM = ("namespaces", "serviceAccounts", "trustDomains", "principals", "requestPrincipals")
_NOT_CUSTOM_KEYS = ("source.namespace", "source.serviceAccount", "source.trustDomain", "source.principal")
_PLAIN_KEYS = frozenset(
    ["source.namespace", "source.principal", "request.auth.principal", "request.auth.audiences", "request.auth.presenter", "connection.sni"]
)
_ADDRESS_KEYS = frozenset(["source.ip", "remote.ip", "destination.ip"])
_MAP_KEYS = ("request.headers", "request.auth.claims", "experimental.envoy.filters.")
_REPLACED = {"destination.namespace": "the policy's own namespace", "destination.name": "a selector", "destination.user": "a selector"}
_LITERAL = pattern(r"[a-zA-Z0-9\-._~%!$&'()+,;:@=]+")
_IDENTITIES = ("principals", "notPrincipals", "namespaces", "notNamespaces")


def _policy(value: dict[str, Any]) -> Faults:
    spec = value.get("spec") or {}
    action, rules = spec.get("action", "ALLOW"), spec.get("rules") or []
    bad = below(attachment(spec), "spec") or below(_action(spec, action, bool(rules)), "spec")
    for number, rule in enumerate(rules):
        bad += below(_rule(rule, action == "CUSTOM"), "spec", "rules", number)
    return bad or None


def _action(spec: dict[str, Any], action: str, rules: bool) -> Faults:
    if action in ("CUSTOM", "DENY") and not rules:
        return at(f"{action} without rules never does anything; `rules: [{{}}]` is for every request", "rules")
    if action == "CUSTOM" and not (spec.get("provider") or {}).get("name"):
        return at("CUSTOM needs `provider.name`", "provider")
    return at(f"`provider` is for CUSTOM, and this is {action}", "provider") if "provider" in spec and action != "CUSTOM" else None


def _rule(rule: dict[str, Any], custom: bool) -> Faults:
    bad: list[Any] = []
    for number, item in enumerate(rule.get("from") or ()):
        bad += below(_source(item.get("source"), custom), "from", number, "source")
    for number, item in enumerate(rule.get("to") or ()):
        bad += below(_operation(item.get("operation")), "to", number, "operation")
    for number, item in enumerate(rule.get("when") or ()):
        bad += below(_condition(item, custom), "when", number)
    return bad


def _source(source: dict[str, Any] | None, custom: bool) -> Faults:
    if not source or not any(source.values()):
        return at("a source must not be empty: say who may call, or leave `from` out")
    if custom:
        for name in _NOT_CUSTOM:
            for field in (name, _negated(name)):
                if source.get(field):
                    return at(f"`{field}` cannot be used with action CUSTOM", field)
    if any(source.get(f) for f in _IDENTITIES) and (source.get("serviceAccounts") or source.get("notServiceAccounts")):
        return at("`serviceAccounts` cannot stand beside principals or namespaces")
    return _values(source, _SOURCE_CHECKS)


def _operation(operation: dict[str, Any] | None) -> Faults:
    if not operation or not any(operation.values()):
        return at("an operation must not be empty: say what may be called, or leave `to` out")
    return _values(operation, _OPERATION_CHECKS)


def _values(value: dict[str, Any], checks: Mapping[str, Callable[[str], str | None] | None]) -> Faults:
    for field, items in value.items():
        check = checks.get(field)
        for number, text in enumerate(items):
            if not text:
                return at("an empty text matches nothing", field, number)
            if check is not None and (said := check(text)):
                return at(said, field, number)
    return None


def _condition(item: dict[str, Any], custom: bool) -> Faults:
    key = item["key"]
    if not key:
        return at("`key` must not be empty", "key")
    if custom and (key in _NOT_CUSTOM_KEYS or key.startswith("request.auth.")):
        return at(f"`{shown(key)}` cannot be used with action CUSTOM", "key")
    if not item.get("values") and not item.get("notValues"):
        return at("`values` or `notValues` are required", "values")
    if key == "source.serviceAccount" and max(len(item.get("values") or ()), len(item.get("notValues") or ())) > 16:
        return at("more than 16 service accounts")
    check = _of_key(key)
    if isinstance(check, str):
        return at(check, "key")
    return _values({field: item.get(field) or () for field in ("values", "notValues")}, {"values": check, "notValues": check})


@lru_cache(1024)
def _of_key(key: str) -> Callable[[str], str | None] | str | None:
    """What values of a condition's key must be; a text when the key itself is wrong."""
    if key.startswith(_MAP_KEYS):
        opening = key.find("[")
        good = key.endswith("]") and 0 < opening < len(key) - 2
        return None if good else f"`{shown(key)}` must name an entry, as in `request.headers[x-team]`"
    if key in _ADDRESS_KEYS:
        return subnet
    if key in _PLAIN_KEYS:
        return None
    if key == "source.serviceAccount":
        return service_account
    if key == "source.trustDomain":
        return _wildcard
    if key == "destination.port":
        return _port
    if key in _REPLACED or key.startswith("destination.labels"):
        return f"`{shown(key)}` is not supported: {_REPLACED.get(key, 'a selector')} says it"
    return f"`{shown(key)}` is no attribute of a request"


def _port(text: str) -> str | None:
    good = text.isascii() and text.isdecimal() and len(text.lstrip("0")) <= 5 and int(text) <= 65535
    return None if good else f"`{shown(text)}` is no port number; ports are single numbers in quotes"


def service_account(text: str) -> str | None:
    """`account` or `namespace/account`."""
    if "*" in text:
        return f"`{shown(text)}`: service accounts take no wildcards"
    if len(text) > 320:
        return "has more than 320 characters"
    parts = text.split("/")
    return None if len(parts) <= 2 and all(parts) else f"`{shown(text)}` must be `account` or `namespace/account`"


def _wildcard(text: str) -> str | None:
    if text.count("*") > 1 or ("*" in text and not text.startswith("*") and not text.endswith("*")):
        return f"`{shown(text)}`: one `*` at the beginning or end is allowed"
    return None


def _trust_domain(text: str) -> str | None:
    return _wildcard(text) or (f"`{shown(text)}`: a trust domain has no `/`" if "/" in text else None)


def _path(text: str) -> str | None:
    templated, last = "{*}" in text or "{**}" in text, False
    for part in text.strip("/").split("/"):
        if part in ("{*}", "{**}"):
            if last:
                return f"`{shown(text)}`: nothing but plain text may follow `{{**}}`"
            last = part == "{**}"
        elif "{" in part or "}" in part:
            return f"`{shown(text)}`: of braces only `{{*}}` and `{{**}}` are allowed, each as a whole segment"
        elif templated and not _LITERAL.fullmatch(part):
            return f"`{shown(text)}`: segment `{shown(part)}` cannot stand beside `{{*}}` or `{{**}}`"
    return None


def _negated(name: str) -> str:
    return f"not{name[0].upper()}{name[1:]}"


def _both(checks: dict[str, Callable[[str], str | None]]) -> dict[str, Callable[[str], str | None]]:
    return {field: check for name, check in checks.items() for field in (name, _negated(name))}


_SOURCE_CHECKS = _both({"ipBlocks": subnet, "remoteIpBlocks": subnet, "serviceAccounts": service_account, "trustDomains": _trust_domain})
_OPERATION_CHECKS = _both({"ports": _port, "paths": _path})
CHECKS: Mapping[str, Check] = {"AuthorizationPolicy": _policy}
