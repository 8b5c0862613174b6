"""Hosts, ports and other names as Istio reads them.

Source: istio/istio:pkg/config/validation/agent/validation.go, pkg/config/labels/instance.go.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from meshcheck.decode.admission.faults import Faults, at
from meshcheck.decode.admission.istio_formats import nanoseconds
from meshcheck.decode.admission.words import outside, shown
from meshcheck.model.pattern import pattern

_LABEL = pattern(r"[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?")
_WILDCARD = pattern(r"\*|(?:\*|\*-)?[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?")
_PREFIX = pattern(rf"{_LABEL.pattern}(?:\.{_LABEL.pattern})*")
_NAME = pattern(r"(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_INTEGER = pattern(r"[+-]?\d+")
PROTOCOLS = {
    "tcp": "TCP", "udp": "UDP", "grpc": "GRPC", "grpc-web": "GRPC-Web", "http": "HTTP", "http_proxy": "HTTP_PROXY", "http2": "HTTP2",
    "https": "HTTPS", "tls": "TLS", "mongo": "Mongo", "redis": "Redis", "mysql": "MySQL",
}  # fmt: skip
HTTP = frozenset(["HTTP", "HTTP2", "HTTP_PROXY", "GRPC", "GRPC-Web"])
TLS = frozenset(["HTTPS", "TLS"])


def is_label(text: str) -> bool:
    """A DNS label, in upper case, too."""
    return len(text) <= 63 and _LABEL.fullmatch(text) is not None


def is_ip(text: str) -> bool:
    """An IP address; zones are for IPv6 only."""
    from ipaddress import ip_address

    try:
        ip_address(text)
    except ValueError:
        return False
    return True


@lru_cache(1024)
def fqdn(text: str) -> str | None:
    """A DNS name without wildcards."""
    return _length(text) or _labels(text, text)


@lru_cache(4096)
def wildcard_domain(text: str) -> str | None:
    """A DNS name whose first label may be or begin with `*`."""
    if said := _length(text):
        return said
    first, dot, rest = text.partition(".")
    if len(first) > 63 or not _WILDCARD.fullmatch(first):
        return f"`{shown(text)}` is no host: label `{shown(first)}`"
    return _labels(rest, text) if dot else None


def _length(text: str) -> str | None:
    if not text:
        return "a host must not be empty"
    return f"`{shown(text)}` has more than 255 characters" if len(text) > 255 else None


def _labels(text: str, whole: str) -> str | None:
    labels = text.split(".")
    if _INTEGER.fullmatch(labels[-1]) and -(2**63) <= int(labels[-1]) < 2**63:
        return f"`{shown(whole)}` is no host: the last label cannot be a number"
    for number, label in enumerate(labels):
        if not label and number == len(labels) - 1:
            return None
        if not is_label(label):
            return f"`{shown(whole)}` is no host: label `{shown(label)}`"
    return None


def gateway_host(text: str, sni: bool) -> str | None:
    """A host of a VirtualService at a gateway; SNI hosts may be those that Istio makes (`outbound_.80_._.host`)."""
    if sni and text.startswith("outbound_") and len(text) <= 255:
        parts = text.split("_")
        if len(parts) < 4 or not re.search("[0-9]", parts[1].strip(".")) or not re.search("[a-zA-Z]", parts[3].strip(".")):
            return f"`{shown(text)}` is no SNI host such as `outbound_.80_._.example.com`"
        return None
    return wildcard_domain(text)


def scoped_host(text: str, gateway: bool) -> str | None:
    """`namespace/host` of a Gateway or Sidecar; a Gateway's namespace may be missing."""
    namespace, slash, host = text.partition("/")
    if not slash:
        return _host_part(text, True) if gateway else f"`{shown(text)}` must be of the form `namespace/host`, such as `./*`"
    if not namespace or not host:
        return f"`{shown(text)}` needs a namespace and a host"
    bare = namespace if gateway else namespace.removeprefix("~")
    if bare and bare not in ("*", ".") and not is_label(bare):
        return f"`{shown(namespace)}` is no namespace"
    return _host_part(host, gateway)


def _host_part(host: str, gateway: bool) -> str | None:
    if host != "*" and "." not in host:
        return f"`{shown(host)}` is a short name; write the whole DNS name"
    if (said := wildcard_domain(host)) and not (gateway and is_ip(host)):
        return said
    if "*" in host and len(host) != 1 and not host.startswith("*."):
        return f"`{shown(host)}`: a wildcard stands for whole labels, as in `*.example.com`"
    return None


def subnet(text: str) -> str | None:
    """An address or a CIDR; host bits may be set."""
    from ipaddress import ip_network

    if is_ip(text):
        return None
    base, slash, length = text.partition("/")
    good = slash and length.isdecimal() and not (len(length) > 1 and length[0] == "0") and "%" not in base and is_ip(base)
    if good:
        try:
            ip_network(text, strict=False)
        except ValueError:
            good = False
    return None if good else f"`{shown(text)}` is neither an IP address nor a CIDR"


def labels(value: Any) -> Faults:
    """Labels that select pods."""
    for key, text in (value or {}).items():
        prefix, slash, name = key.rpartition("/")
        if (slash and (not _PREFIX.fullmatch(prefix) or len(prefix) > 253)) or not _NAME.fullmatch(name) or len(name) > 63:
            return at(f"`{shown(key)}` is no label key", key)
        if text and not _NAME.fullmatch(text):
            return at(f"`{shown(text)}` is no label value", key)
    return None


def selector(value: Any, field: str) -> Faults:
    """A workload selector's labels."""
    for key, text in ((value or {}).get(field) or {}).items():
        if not key:
            return at("a label's key must not be empty", field)
        if "*" in key or "*" in text:
            return at("selectors take no wildcards", field, key)
    return None


def port(number: int) -> str | None:
    """A port's number."""
    return None if 1 <= number <= 65535 else outside(number, 1, 65535)


def duration(text: Any) -> str | None:
    """A duration of whole milliseconds, at least one."""
    length = nanoseconds(text) if isinstance(text, str) else None
    if length is None:
        return f"`{shown(text)}` is no duration such as `5s`"
    if length < 10**6:
        return f"`{shown(text)}` is shorter than a millisecond"
    return None if length % 10**6 == 0 else f"`{shown(text)}` is more precise than a millisecond"


def durations(value: Any, *names: str) -> Faults:
    """The durations among the fields of a mapping."""
    for name in names:
        text = (value or {}).get(name)
        if text is not None and (said := duration(text)):
            return at(said, name)
    return None


def unix_socket(path: str) -> str | None:
    """The path behind `unix://`."""
    if path.startswith("@"):
        return None
    return None if path.startswith("/") and not path.endswith("/") else f"`{shown(path)}` is no absolute path of a socket"


def export_to(value: dict[str, Any], namespace: str, *, service_entry: bool = False, selecting: bool = False) -> Faults:
    """`exportTo`: no duplicates, and `*` or `~` alone."""
    given = value.get("exportTo") or []
    seen: set[str] = set()
    for number, text in enumerate(given):
        key = namespace if text == "." else text
        if key in seen:
            return at(f"`{text}` is there before", "exportTo", number)
        if not (key in ("*", ".") or is_label(key) or (key == "~" and service_entry) or (text == "." and not namespace)):
            return at(f"`{shown(text)}` is not `.`, `*` or a namespace", "exportTo", number)
        seen.add(key)
    if selecting and given and (namespace not in seen or len(seen) > 1):
        return at("with a workload selector it can only be exported to its own namespace", "exportTo")
    for alone in ("*", "~"):
        if alone in seen and len(given) > 1:
            return at(f"`{alone}` must stand alone", "exportTo")
    return None


def host_matches(one: str, other: str) -> bool:
    """Whether two hosts, either of which may begin with `*`, cover a common name."""
    if one.startswith("*") and other.startswith("*"):
        return other[1:].endswith(one[1:]) if len(one) < len(other) else one[1:].endswith(other[1:])
    if one.startswith("*"):
        return other.endswith(one[1:])
    return one.endswith(other[1:]) if other.startswith("*") else one == other


def host_within(one: str, other: str) -> bool:
    """Whether `other` covers all that `one` covers."""
    if one.startswith("*"):
        return other.startswith("*") and len(one) >= len(other) and one[1:].endswith(other[1:])
    return one.endswith(other[1:]) if other.startswith("*") else one == other
