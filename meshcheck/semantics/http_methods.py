"""The methods that Envoy reads in HTTP/1.1; to any other it answers 400, and the case matters.

Source: envoyproxy/envoy:source/common/http/http1/balsa_parser.cc (kValidMethods), source/common/http/conn_manager_impl.cc
(query_missing_content_type); tried with Envoy 1.40.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

KNOWN = frozenset(
    (
        *("ACL", "BIND", "CHECKOUT", "COPY", "DELETE", "GET", "HEAD", "LINK", "LOCK", "MERGE", "MKACTIVITY", "MKCALENDAR"),
        *("MKCOL", "MOVE", "MSEARCH", "NOTIFY", "OPTIONS", "PATCH", "POST", "PROPFIND", "PROPPATCH", "PURGE", "PUT", "QUERY", "REBIND"),
        *("REPORT", "SEARCH", "SOURCE", "SUBSCRIBE", "TRACE", "UNBIND", "UNLINK", "UNLOCK", "UNSUBSCRIBE"),
    )
)
"""Those that may come with a path. CONNECT names a host and a port instead."""


def refusal(method: str, headers: Mapping[str, Sequence[str]]) -> str | None:
    """Why Envoy answers 400 to a method before any rule; None when it does not. `headers` have lower-case names."""
    if method == "CONNECT":
        return "Envoy answers 400 to CONNECT with a path: it takes a host and a port there"
    if method not in KNOWN:
        meant = f"; write `{method.upper()}`" if method.upper() in KNOWN else ""
        return f"`{method}` is no method that Envoy knows in HTTP/1.1: it answers 400 before any rule{meant}"
    if method == "QUERY" and not headers.get("content-type"):
        return "Envoy answers 400 to QUERY without a content-type, before any rule"
    return None
