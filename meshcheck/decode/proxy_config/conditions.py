"""Permissions and principals of Envoy's RBAC. What is not known here stays as it is, as a `raw` leaf: it is never taken for something else.

Sources: envoyproxy/envoy:api/envoy/config/rbac/v3/rbac.proto, api/envoy/type/matcher/v3/*.proto,
api/envoy/config/route/v3/route_components.proto.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from meshcheck.model.proxy_config import ANY, Condition, Leaf, all_of, any_of, negation

_JWT, _PEER = "envoy.filters.http.jwt_authn", "io.istio.peer_principal"
_HOWS = ("exact", "prefix", "suffix", "contains")


def policy(value: Mapping[str, Any]) -> Condition:
    """When a policy matches: one of its permissions, and one of its principals."""
    if value.get("condition") or value.get("checked_condition"):
        return _raw(value)
    permissions = any_of(permission(item) for item in _list(value.get("permissions")))
    return all_of([permissions, any_of(principal(item) for item in _list(value.get("principals")))])


def identity(value: Any) -> Condition:
    """A comparison with the name in a peer's certificate."""
    try:
        return _text("peer", value)
    except (KeyError, TypeError):
        return _raw(value)


def permission(value: Any) -> Condition:
    """What is asked for."""
    return _condition(value, "and_rules", "or_rules", "not_rule", "rules", _PERMISSIONS, permission)


def principal(value: Any) -> Condition:
    """Who asks."""
    return _condition(value, "and_ids", "or_ids", "not_id", "ids", _PRINCIPALS, principal)


Reader = Callable[[Any], Condition]


def _condition(value: Any, and_: str, or_: str, not_: str, parts: str, readers: Mapping[str, Reader], again: Reader) -> Condition:
    if not isinstance(value, dict) or len(value) != 1:
        return _raw(value)
    ((key, inner),) = value.items()
    try:
        if key == "any":
            return ANY
        if key in (and_, or_):
            each = [again(item) for item in inner[parts]]
            return all_of(each) if key == and_ else any_of(each)
        if key == not_:
            return negation(again(inner))
        return readers[key](inner)
    except (KeyError, TypeError, AttributeError, ValueError):
        return _raw(value)


def _text(what: str, matcher: Mapping[str, Any]) -> Leaf:
    """A comparison of texts."""
    case = " ignoring case" if matcher.get("ignore_case") else ""
    for how in _HOWS:
        if how in matcher:
            return Leaf(what, how + case, str(matcher[how]))
    return Leaf(what, "regex" + case, str(matcher["safe_regex"]["regex"]))


def _header(value: Mapping[str, Any]) -> Condition:
    what = f"header {str(value['name']).lower()}"
    if "string_match" in value:
        leaf = _text(what, value["string_match"])
    elif value.get("present_match") is not None:
        leaf = Leaf(what, "present")
        if value["present_match"] is False:
            return negation(leaf)
    else:
        leaf = _text(what, {how.removesuffix("_match"): value[how] for how in value if how.endswith("_match") and how != "invert_match"})
    return negation(leaf) if value.get("invert_match") else leaf


def _block(what: str) -> Reader:
    def read(value: Any) -> Condition:
        from ipaddress import ip_network

        return Leaf(what, "block", str(ip_network(f"{value['address_prefix']}/{value.get('prefix_len', 0)}", strict=False)))

    return read


def _metadata(value: Mapping[str, Any]) -> Condition:
    path = [str(segment["key"]) for segment in value["path"]]
    if value["filter"] == _JWT and path[:1] == ["payload"]:
        what = "claim " + "/".join(path[1:])
    else:
        what = f"metadata {value['filter']} {'/'.join(path)}"
    found = _value(what, value["value"])
    return negation(found) if value.get("invert") else found


def _value(what: str, value: Mapping[str, Any], inside: str = "") -> Condition:
    ((key, inner),) = value.items()
    if key == "string_match":
        leaf = _text(what, inner)
        return Leaf(leaf.what, inside + leaf.how, leaf.text)
    if key == "list_match":
        return _value(what, inner["one_of"], "list ")
    if key == "or_match":
        return any_of(_value(what, item, inside) for item in inner["value_matchers"])
    raise KeyError(key)


def _authenticated(value: Mapping[str, Any]) -> Condition:
    return _text("peer", value["principal_name"]) if "principal_name" in value else Leaf("peer", "present")


def _filter_state(value: Mapping[str, Any]) -> Condition:
    if value["key"] != _PEER:
        raise KeyError(value["key"])
    return _text("peer", value["string_match"])


_PERMISSIONS: Mapping[str, Reader] = {
    "header": _header,
    "url_path": lambda value: _text("path", value["path"]),
    "uri_template": lambda value: Leaf("path", "template", str(value["typed_config"]["path_template"])),
    "destination_port": lambda value: Leaf("port", "exact", str(value)),
    "destination_ip": _block("destination address"),
    "requested_server_name": lambda value: _text("sni", value),
    "metadata": _metadata,
}
_PRINCIPALS: Mapping[str, Reader] = {
    "authenticated": _authenticated,
    "filter_state": _filter_state,
    "direct_remote_ip": _block("source address"),
    "source_ip": _block("source address"),
    "remote_ip": _block("client address"),
    "header": _header,
    "url_path": lambda value: _text("path", value["path"]),
    "metadata": _metadata,
}


def _raw(value: Any) -> Leaf:
    return Leaf("raw", "raw", json.dumps(value, sort_keys=True))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
