"""What a route makes of a request: rewrite, redirect, direct response, fault.

Source: istio/istio:pilot/pkg/networking/core/route/route.go:translateRoute,applyRedirect.
"""

from __future__ import annotations

from typing import Any

from meshcheck.model.istio_networking import HttpMatch, HttpRoute
from meshcheck.model.trace import Symptom
from meshcheck.semantics.routing.match import RouteRequest

_REDIRECTS = (301, 302, 303, 307, 308)


def own_answer(route: HttpRoute, match: HttpMatch | None, request: RouteRequest) -> Symptom | None:
    """The answer that the proxy gives by itself: a redirect or a direct response."""
    if route.redirect is not None:
        code = route.redirect.get("redirectCode") or 301
        return Symptom("http", code, "", {"location": _location(route.redirect, match, request)})
    if route.direct_response is not None:
        body = route.direct_response.get("body") or {}
        return Symptom("http", route.direct_response.get("status"), body.get("string") or "")
    return None


def _location(redirect: Any, match: HttpMatch | None, request: RouteRequest) -> str:
    scheme = redirect.get("scheme") or request.scheme
    host, _, port = request.authority.partition(":")
    authority = redirect.get("authority") or host
    wanted = redirect.get("port")
    if wanted:
        if (scheme, wanted) not in (("http", 80), ("https", 443)):
            authority = f"{authority.partition(':')[0]}:{wanted}"
    elif redirect.get("derivePort") == "FROM_REQUEST_PORT" or (port and not redirect.get("authority") and not redirect.get("scheme")):
        number = port or str(request.port)
        if (scheme, number) not in (("http", "80"), ("https", "443")):
            authority = f"{authority.partition(':')[0]}:{number}"
    path = redirect.get("uri") or request.path
    if path == "%PREFIX()%" and match is not None and match.path is not None:
        path = request.path
    return f"{scheme}://{authority}{path}{request.query if '?' not in path else ''}"


def rewritten(route: HttpRoute, match: HttpMatch | None, path: str, query: str, authority: str) -> tuple[str, str]:
    """(target, authority) as they are sent on."""
    rewrite = route.rewrite or {}
    uri = rewrite.get("uri")
    if uri:
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
    changed = {**(route.request_headers.get("add") or {}), **(route.request_headers.get("set") or {})}
    host = rewrite.get("authority") or next((value for name, value in changed.items() if name.lower() in (":authority", "host")), None)
    return path + query, host or authority
