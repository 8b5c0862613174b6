"""What a route makes of a request: rewrite, redirect, direct response, fault.

Source: istio/istio:pilot/pkg/networking/core/route/route.go:translateRoute,applyRedirect.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshcheck.model.istio_networking import HttpMatch, HttpRoute
from meshcheck.model.trace import Symptom
from meshcheck.semantics import watching
from meshcheck.semantics.routing.match import RouteRequest

_REDIRECTS = (301, 302, 303, 307, 308)


def own_answer(route: HttpRoute, match: HttpMatch | None, request: RouteRequest) -> Symptom | None:
    """The answer that the proxy gives by itself: a redirect or a direct response."""
    if route.redirect is not None:
        code = route.redirect.get("redirectCode") or 301
        return Symptom("http", code, "", {"location": location(route.redirect, match, request)})
    if route.direct_response is not None:
        body = route.direct_response.get("body") or {}
        return Symptom("http", route.direct_response.get("status"), body.get("string") or "")
    return None


def location(redirect: Any, match: HttpMatch | None, request: RouteRequest) -> str:
    """Where a redirect leads. Source: envoyproxy/envoy:source/common/router/config_impl.cc:newUri,processRequestHost."""
    scheme = redirect.get("scheme") or request.scheme
    number = redirect.get("port") or (request.port if redirect.get("derivePort") == "FROM_REQUEST_PORT" else None)
    port = f":{number}" if number and (scheme, number) not in (("http", 80), ("https", 443)) else ""
    host = redirect.get("authority") or _without_port(request, scheme, port)
    path = redirect.get("uri") or request.path
    if redirect.get("prefixRewrite") is not None and match is not None and match.path is not None:
        path = _replaced_prefix(match.path.value, redirect["prefixRewrite"], request.path)
    elif redirect.get("prefixAsWritten") and match is not None and match.path is not None:
        path = redirect["prefixAsWritten"] + request.path[len(match.path.value) :]
    path = path if path.startswith("/") else f"/{path}"
    return f"{scheme}://{host}{port}{path}{request.query if '?' not in path else ''}"


def _without_port(request: RouteRequest, scheme: str, port: str) -> str:
    """The Host header without its port where another port is set, or where it was the default of a scheme that changes."""
    host, colon, number = request.authority.rpartition(":")
    if not colon or not number.isdigit():
        return request.authority
    default = (request.scheme, number) in (("http", "80"), ("https", "443"))
    return host if port or (scheme != request.scheme and default) else request.authority


def rewritten(route: HttpRoute, match: HttpMatch | None, path: str, query: str, authority: str) -> tuple[str, str]:
    """(target, authority) as they are sent on."""
    target, host = _rewritten(route, match, path, query, authority)
    if watching.by is not None:
        _tell(watching.by, route, match, path, target[: len(target) - len(query)], authority, host)
    return target, host


def _tell(by: watching.Watcher, route: HttpRoute, match: HttpMatch | None, path: str, after: str, authority: str, host: str) -> None:
    """Say how the new path comes from the old one."""
    if host != authority:
        by.authority(authority, host)
    rewrite = route.rewrite or {}
    uri, wanted = rewrite.get("uri"), match.path if match is not None else None
    if uri and wanted is not None and wanted.kind == "segments":
        by.cut(path, after, uri.rstrip("/"), len(wanted.value.rstrip("/")))
    elif uri and wanted is not None and wanted.kind == "prefix":
        by.cut(path, after, uri, len(wanted.value))
    elif uri and wanted is None:
        by.cut(path, after, uri, 1)
    elif not uri and rewrite.get("uriRegexRewrite"):
        by.opaque("a route rewrites the path with a regular expression")
    elif (uri and wanted is not None and wanted.kind == "exact") or (not uri and rewrite.get("fullPath")):
        by.cut(path, after, after, -1)


def _rewritten(route: HttpRoute, match: HttpMatch | None, path: str, query: str, authority: str) -> tuple[str, str]:
    rewrite = route.rewrite or {}
    uri = rewrite.get("uri")
    if uri:
        if match is not None and match.path is not None and match.path.kind == "segments":
            return _replaced_prefix(match.path.value, uri, path) + query, _host(route, authority)
        prefix = match.path.value if match is not None and match.path is not None and match.path.kind == "prefix" else None
        if prefix is not None:
            path = uri + path[len(prefix) :]
        elif match is not None and match.path is not None and match.path.kind == "exact":
            path = uri
        elif match is None or match.path is None:
            path = uri + path.removeprefix("/")
    elif rewrite.get("uriRegexRewrite"):
        import re

        rule = rewrite["uriRegexRewrite"]
        path = re.sub(rule.get("match") or "", re.sub(r"\\(\d)", r"\\g<\1>", rule.get("rewrite") or ""), path)
    elif rewrite.get("fullPath"):
        path = rewrite["fullPath"]
    return path + query, _host(route, authority)


def _host(route: HttpRoute, authority: str) -> str:
    changed = {**(route.request_headers.get("add") or {}), **(route.request_headers.get("set") or {})}
    host = next((value for name, value in changed.items() if name.lower() in (":authority", "host")), None)
    return (route.rewrite or {}).get("authority") or host or authority


def _replaced_prefix(prefix: str, by: str, path: str) -> str:
    """A prefix of whole segments, replaced; slashes are never doubled."""
    return by.rstrip("/") + path[len(prefix.rstrip("/")) :] or "/"


def changed_headers(route: HttpRoute, headers: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Request headers as they are sent on: `remove`, then `set` and `add`."""
    out = dict(headers)
    if watching.by is not None and route.request_headers:
        changes = route.request_headers
        replaced = [name.lower() for name in (*(changes.get("remove") or ()), *(changes.get("set") or {}))]
        watching.by.headers_changed(replaced, [name.lower() for name in changes.get("add") or {}])
    for name in route.request_headers.get("remove") or ():
        out.pop(name.lower(), None)
    for name, value in (route.request_headers.get("set") or {}).items():
        if name.lower() not in (":authority", "host"):
            out[name.lower()] = (value,)
    for name, value in (route.request_headers.get("add") or {}).items():
        if name.lower() not in (":authority", "host"):
            out[name.lower()] = (*out.get(name.lower(), ()), value)
    return out
