"""Rules and formats of Gateway API: what its CRDs say in CEL and patterns.

Source: kubernetes-sigs/gateway-api:config/crd/standard.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from meshcheck.decode.admission import addresses, formats
from meshcheck.decode.admission.faults import Check, Faults, Format, at
from meshcheck.decode.admission.istio_formats import nanoseconds
from meshcheck.decode.admission.words import listed, shown
from meshcheck.model.pattern import pattern

_SUBDOMAIN = formats.SUBDOMAIN
_HOSTNAME = rf"(\*\.)?{_SUBDOMAIN}"
_KEY = pattern(rf"({_SUBDOMAIN}/)?([A-Za-z0-9][-A-Za-z0-9_.]{{0,61}})?[A-Za-z0-9]")
_PATH = pattern(r"(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9a-fA-F]{2})+")
_SERVICE = pattern(r"\.?[a-z_][a-z_0-9]*(\.[a-z_][a-z_0-9]*)*", re.IGNORECASE | re.ASCII)
_METHOD = pattern(r"[A-Za-z_][A-Za-z_0-9]*")
_HTTP_PATHS: tuple[dict[str, Any], ...] = ({"path": {}},)
"""What a rule without `matches` has: the prefix `/`."""
_BODIES = {
    "RequestHeaderModifier": "requestHeaderModifier", "ResponseHeaderModifier": "responseHeaderModifier", "RequestMirror": "requestMirror",
    "RequestRedirect": "requestRedirect", "URLRewrite": "urlRewrite", "ExtensionRef": "extensionRef", "CORS": "cors",
}  # fmt: skip
_REPEATED = frozenset(["ExtensionRef", "RequestMirror"])


def _searching(pattern: str, what: str) -> Callable[[str], str | None]:
    """For patterns whose alternatives are not all anchored: they are looked for anywhere."""
    return lambda text: None if re.search(pattern, text) else f"`{shown(text)}` is not {what}"


# ---- Gateway ----


def _address(value: dict[str, Any]) -> Faults:
    kind, text = value.get("type", "IPAddress"), value.get("value")
    if kind == "IPAddress" and text is not None and addresses.address(text) is None:
        return at(f"`{shown(text)}` is no IP address", "value")
    if kind == "Hostname" and text is not None and not re.fullmatch(_HOSTNAME, text):
        return at(f"`{shown(text)}` is no host name", "value")
    return None


def _addresses(value: list[dict[str, Any]]) -> Faults:
    seen = set()
    for number, item in enumerate(value):
        key = item.get("type", "IPAddress"), item.get("value")
        if key[1] is not None and key[0] in ("IPAddress", "Hostname") and key in seen:
            return at("the same address is there before", number)
        seen.add(key)
    return None


def _keys(value: dict[str, str]) -> Faults:
    for key in value:
        if not _KEY.fullmatch(key) or len(key.split("/")[0]) >= 253:
            return at(f"`{shown(key)}` is no key of a label or annotation", key)
    return None


def _listeners(value: list[dict[str, Any]]) -> Faults:
    for number, listener in enumerate(value):
        protocol, tls = listener["protocol"], listener.get("tls")
        if protocol in ("HTTP", "TCP", "UDP") and tls is not None:
            return at(f"`tls` is not for protocol {protocol}", number, "tls")
        if protocol == "HTTPS" and tls is not None and tls.get("mode", "Terminate") != "Terminate":
            return at("protocol HTTPS needs mode `Terminate`", number, "tls", "mode")
        if protocol == "TLS" and tls is None:
            return at("protocol TLS needs `tls`", number, "tls")
        if protocol in ("TCP", "UDP") and listener.get("hostname"):
            return at(f"`hostname` is not for protocol {protocol}", number, "hostname")
    return None


def _distinct(value: list[dict[str, Any]]) -> Faults:
    seen = set()
    for number, listener in enumerate(value):
        key = listener["port"], listener["protocol"], listener.get("hostname")
        if key in seen:
            return at("another listener has this port, protocol and host name", number)
        seen.add(key)
    return None


def _certificates(value: dict[str, Any]) -> Faults:
    if value.get("mode", "Terminate") == "Terminate" and not value.get("certificateRefs") and not value.get("options"):
        return at("`certificateRefs` or `options` are required to terminate TLS", "certificateRefs")
    return None


# ---- routes ----


def _parents(value: list[dict[str, Any]]) -> Faults:
    return _sections(
        value,
        lambda p: (p.get("group", "gateway.networking.k8s.io"), p.get("kind", "Gateway"), p["name"], p.get("namespace") or ""),
        "parent",
    )


def _references(value: list[dict[str, Any]]) -> Faults:
    return _sections(value, lambda t: (t["group"], t["kind"], t["name"]), "target")


def _sections(value: list[dict[str, Any]], key_of: Callable[[dict[str, Any]], Any], what: str) -> Faults:
    """References to one thing must each name another section of it."""
    seen: dict[Any, set[str]] = {}
    for number, item in enumerate(value):
        section = item.get("sectionName") or ""
        sections = seen.setdefault(key_of(item), set())
        if sections and (section in sections or not section or "" in sections):
            return at(f"two references to one {what} need different `sectionName`s", number)
        sections.add(section)
    return None


def _service_port(value: dict[str, Any]) -> Faults:
    service = not value.get("group") and value.get("kind", "Service") == "Service"
    return at(f"a reference to a Service needs `port` (`{shown(value['name'])}`)", "port") if service and "port" not in value else None


def _filter(value: dict[str, Any]) -> Faults:
    kind = value["type"]
    if _BODIES[kind] not in value:
        return at(f"type `{kind}` needs `{_BODIES[kind]}`", _BODIES[kind])
    extra = [field for field in _BODIES.values() if field in value and field != _BODIES[kind]]
    return at(f"`{extra[0]}` is not for type `{kind}`", extra[0]) if extra else None


def _filters(value: list[dict[str, Any]]) -> Faults:
    seen = set()
    for number, item in enumerate(value):
        if item["type"] in seen and item["type"] not in _REPEATED:
            return at(f"a filter of type `{item['type']}` is there before", number)
        seen.add(item["type"])
    return at("`RequestRedirect` and `URLRewrite` exclude each other") if {"RequestRedirect", "URLRewrite"} <= seen else None


def _one_share(value: dict[str, Any]) -> Faults:
    return at("only one of `percent` and `fraction` may be set") if "percent" in value and "fraction" in value else None


def _fraction(value: dict[str, Any]) -> Faults:
    return at("must not be more than the denominator", "numerator") if value["numerator"] > value.get("denominator", 100) else None


def _star_alone(value: list[str]) -> Faults:
    return at("`*` must stand alone") if "*" in value and len(value) > 1 else None


def _path_modifier(value: dict[str, Any]) -> Faults:
    field = "replaceFullPath" if value["type"] == "ReplaceFullPath" else "replacePrefixMatch"
    other = "replacePrefixMatch" if field == "replaceFullPath" else "replaceFullPath"
    if field not in value:
        return at(f"type `{value['type']}` needs `{field}`", field)
    return at(f"`{other}` is not for type `{value['type']}`", other) if other in value else None


def _path(value: dict[str, Any]) -> Faults:
    kind, path = value.get("type", "PathPrefix"), value.get("value", "/")
    if kind == "RegularExpression":
        return None
    if not path.startswith("/"):
        return at(f"path `{shown(path)}` must begin with `/`", "value")
    for part in ("//", "/./", "/../", "%2f", "%2F", "#"):
        if part in path:
            return at(f"path `{shown(path)}` must not hold `{part}`", "value")
    if path.endswith(("/..", "/.")):
        return at(f"path `{shown(path)}` must not end with `/.` or `/..`", "value")
    return None if _PATH.fullmatch(path) else at(f"path `{shown(path)}` has a character that no path has", "value")


def _timeouts(value: dict[str, Any]) -> Faults:
    whole, part = (nanoseconds(value.get(name, "0s")) or 0 for name in ("request", "backendRequest"))
    if "request" in value and "backendRequest" in value and whole and part > whole:
        return at("must not be longer than `request`", "backendRequest")
    return None


def _all_matches(value: list[dict[str, Any]]) -> Faults:
    return at("a route has at most 128 matches") if sum(len(rule.get("matches", ())) for rule in value) > 128 else None


def _http_rule(rule: dict[str, Any]) -> Faults:
    backends, own = rule.get("backendRefs") or (), rule.get("filters") or ()
    if backends and any("requestRedirect" in item for item in own):
        return at("a redirect needs no backends: `RequestRedirect` and `backendRefs` exclude each other", "backendRefs")
    for filters, of in ((own, "filters"), *(((b.get("filters") or ()), "backendRefs") for b in backends)):
        for body in ("requestRedirect", "urlRewrite"):
            prefixes = [item for item in filters if "replacePrefixMatch" in (item.get(body, {}).get("path") or {})]
            if len(prefixes) == 1 and not _one_prefix(rule):
                return at("`replacePrefixMatch` needs exactly one match, of type `PathPrefix`", of)
    return None


def _one_prefix(rule: dict[str, Any]) -> bool:
    matches = rule.get("matches", _HTTP_PATHS)
    return len(matches) == 1 and matches[0].get("path", {}).get("type", "PathPrefix") == "PathPrefix"


def _grpc_method(value: dict[str, Any]) -> Faults:
    if "service" not in value and "method" not in value:
        return at("`service` or `method` is required")
    if value.get("type", "Exact") != "Exact":
        return None
    if "service" in value and not _SERVICE.fullmatch(value["service"]):
        return at(f"`{shown(value['service'])}` is no name of a service", "service")
    if "method" in value and not _METHOD.fullmatch(value["method"]):
        return at(f"`{shown(value['method'])}` is no name of a method", "method")
    return None


def _status_code(value: int) -> Faults:
    return None if value in (301, 302, 303, 307, 308) else at(f"{value} is not one of 301, 302, 303, 307 and 308")


def _hosts(value: list[str]) -> Faults:
    for number, host in enumerate(value):
        if addresses.address(host) is not None:
            return at(f"`{host}` is an IP address; a host is a DNS name", number)
    return None


# ---- BackendTLSPolicy ----


def _authorities(value: dict[str, Any]) -> Faults:
    given = [field for field in ("caCertificateRefs", "wellKnownCACertificates") if value.get(field)]
    return (
        None
        if len(given) == 1
        else at(f"one of {listed(['caCertificateRefs', 'wellKnownCACertificates'], 'and')} is required, and only one")
    )


def _alternative(value: dict[str, Any]) -> Faults:
    field, other = ("hostname", "uri") if value["type"] == "Hostname" else ("uri", "hostname")
    if not value.get(field):
        return at(f"type `{value['type']}` needs `{field}`", field)
    return at(f"`{other}` is not for type `{value['type']}`", other) if value.get(other) else None


RULES: Mapping[str, Check] = {
    "address": _address,
    "addresses": _addresses,
    "keys": _keys,
    "listeners": _listeners,
    "distinct": _distinct,
    "certificates": _certificates,
    "parents": _parents,
    "references": _references,
    "service_port": _service_port,
    "filter": _filter,
    "filters": _filters,
    "one_share": _one_share,
    "fraction": _fraction,
    "star_alone": _star_alone,
    "path_modifier": _path_modifier,
    "path": _path,
    "timeouts": _timeouts,
    "all_matches": _all_matches,
    "http_rule": _http_rule,
    "grpc_method": _grpc_method,
    "status_code": _status_code,
    "hosts": _hosts,
    "authorities": _authorities,
    "alternative": _alternative,
}
_CHARACTERS = r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+"
FORMATS: Mapping[str, Format] = {
    "group": formats.matching(rf"|{_SUBDOMAIN}", "an API group (the core group is empty)"),
    "kind": formats.matching(r"[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?", "a kind"),
    "subdomain": formats.matching(_SUBDOMAIN, "a DNS name in lower case"),
    "hostname": formats.matching(_HOSTNAME, "a host name such as `example.com` or `*.example.com`"),
    "label": formats.matching(formats.LABEL, "a DNS label in lower case"),
    "label_value": formats.matching(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?", "a label's value"),
    "controller": formats.matching(rf"{_SUBDOMAIN}/{_CHARACTERS}", "a controller's name such as `example.com/gateway`"),
    "protocol": _searching(rf"^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?\Z|{_SUBDOMAIN}/[A-Za-z0-9]+\Z", "a protocol"),
    "address_type": _searching(rf"^Hostname|IPAddress|NamedAddress|{_SUBDOMAIN}/{_CHARACTERS}\Z", "a type of addresses"),
    "header": formats.matching(r"[A-Za-z0-9!#$%&'*+\-.^_`|~]+", "a header's name"),
    "origin": formats.matching(
        r"\*|https?://((\*\.)?([a-zA-Z0-9\-]+\.)*[a-zA-Z0-9-]+|\*)(:([0-9]{1,5}))?",
        "an origin such as `https://example.com`; without a path",
    ),
    "duration": formats.matching(r"([0-9]{1,5}(h|m|s|ms)){1,4}", "a duration such as `10s` or `1h30m`"),
    "uri": _searching(r"^(([^:/?#]+):)(//([^/?#]*))([^?#]*)(\?([^#]*))?(#(.*))?", "a URI with scheme and authority"),
    "authorities": formats.matching(
        rf"System|{_SUBDOMAIN}/([A-Za-z0-9][-A-Za-z0-9_.]{{0,61}})?[A-Za-z0-9]", "`System` or a name with a domain"
    ),
}
