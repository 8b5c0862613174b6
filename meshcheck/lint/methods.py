"""Methods of HTTP, as Envoy knows them.

Source: envoyproxy/envoy:source/common/http/http1/balsa_parser.cc (methods that it accepts; others are answered with 400).
"""

from __future__ import annotations

METHODS = frozenset(
    [
        "ACL", "BIND", "CHECKOUT", "CONNECT", "COPY", "DELETE", "GET", "HEAD", "LINK", "LOCK", "MERGE", "MKACTIVITY", "MKCALENDAR", "MKCOL",
        "MOVE", "MSEARCH", "M-SEARCH", "NOTIFY", "OPTIONS", "PATCH", "POST", "PROPFIND", "PROPPATCH", "PURGE", "PUT", "REBIND", "REPORT",
        "SEARCH", "SOURCE", "SUBSCRIBE", "TRACE", "UNBIND", "UNLINK", "UNLOCK", "UNSUBSCRIBE",
    ]
)  # fmt: skip


def is_method(value: str) -> bool:
    """Whether a value of `methods` matches any method: exact, prefix, suffix or `*`."""
    if value.startswith("*"):
        return any(method.endswith(value[1:]) for method in METHODS)
    if value.endswith("*"):
        return any(method.startswith(value[:-1]) for method in METHODS)
    return value in METHODS


def is_rpc(value: str) -> bool:
    """Whether a value looks like the name of a gRPC method or its path rather than a method of HTTP."""
    name = value.strip("*")
    camel = name.isalnum() and name[:1].isalpha() and name not in (name.upper(), name.lower())
    return "/" in name or "." in name or (camel and name.upper() not in METHODS)
