"""Traefik: middlewares, in the order in which a router lists them; a router that lists a missing one is dropped.

Source: traefik/traefik:pkg/middlewares/*, pkg/provider/kubernetes/{ingress,crd}.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from meshcheck.model.foreign import Foreign
from meshcheck.model.objects import Meta, Path
from meshcheck.model.record import replace
from meshcheck.model.trace import ALLOWED, DENIED, Station, Symptom
from meshcheck.semantics.ingress.others.asked import Asked
from meshcheck.semantics.ingress.traefik.routers import moved
from meshcheck.semantics.ingress.traefik.rule import Asked as Request
from meshcheck.semantics.nginx.patterns import search
from meshcheck.semantics.routing.cors import is_preflight

NOT_FOUND = Symptom("http", 404, "404 page not found")
_HARMLESS = frozenset(
    (
        *(
            "stripPrefix",
            "stripPrefixRegex",
            "addPrefix",
            "replacePath",
            "replacePathRegex",
            "compress",
            "contentType",
            "retry",
        ),
        *("circuitBreaker", "rateLimit", "inFlightReq", "grpcWeb", "passTLSClientCert"),
    )
)


def stations(
    asked: Asked, wanted: Iterable[tuple[str, str]], router: Meta, field: Path, request: Request, believed: bool | None
) -> list[Station]:
    """The middlewares of a router, up to the one that refuses."""
    table = {(m.meta.namespace, m.meta.name): m for m in asked.world.inventory.of("Middleware")}
    out: list[Station] = []
    queue = list(wanted)
    while queue:
        namespace, name = queue.pop(0)
        found: Foreign | None = table.get((namespace, name))
        if found is None:
            if not asked.world.complete("Middleware", namespace=namespace):
                return [*out, asked.unknown("access", f"the Middleware `{namespace}/{name}`: it is not in the input", router, field)]
            why = f"Middleware {namespace}/{name} does not exist, so the router is dropped"
            return [*out, asked.denied("route", why, router, field, NOT_FOUND)]
        chain = (found.spec.get("chain") or {}).get("middlewares") or ()
        queue = [*((c.get("namespace") or namespace, c.get("name") or "") for c in chain), *queue]
        request = request._replace(target=moved(asked.world, ((namespace, name),), request.target)) if not chain else request
        for station in _one(asked, found, request, believed):
            out.append(station)
            if station.verdict == DENIED or station.answers:
                return out
    return out


def _one(asked: Asked, found: Foreign, request: Request, believed: bool | None) -> list[Station]:
    out: list[Station | None] = []
    name = f"{found.meta.namespace}/{found.meta.name}"
    for kind, settings in found.spec.items():
        field: Path = ("spec", kind)
        given = settings if isinstance(settings, dict) else {}
        if kind in ("ipAllowList", "ipWhiteList"):
            out.append(_listed(asked, found, field, given, believed))
        elif kind == "forwardAuth":
            out.append(asked.unknown("custom", f"what {given.get('address')} answers (Middleware {name})", found.meta, field))
        elif kind in ("basicAuth", "digestAuth"):
            if asked.has("authorization"):
                out.append(asked.unknown("access", f"whether Middleware {name} accepts the user and the password", found.meta, field))
            else:
                out.append(
                    asked.denied(
                        "access", f"Middleware {name}: no user and password", found.meta, field, Symptom("http", 401, "401 Unauthorized")
                    )
                )
        elif kind == "headers":
            out.append(_headers(asked, found, given))
        elif kind == "redirectScheme":
            scheme, port = str(given.get("scheme") or ""), str(given.get("port") or "")
            tail = f":{port}" if port and (scheme, port) not in (("http", "80"), ("https", "443")) else ""
            out.append(_redirect(asked, found, field, given, request, f"{scheme}://{request.host}{tail}{request.target}"))
        elif kind == "redirectRegex":
            out.append(_by_pattern(asked, found, field, given, request))
        elif kind == "buffering":
            most, length = given.get("maxRequestBodyBytes") or 0, (asked.headers.get("content-length") or ("",))[0]
            if most and length.isdigit() and int(length) > int(most):
                too_large = Symptom("http", 413, "Request Entity Too Large")
                out.append(asked.denied("access", f"Middleware {name}: the body has {length} bytes", found.meta, field, too_large))
        elif kind not in _HARMLESS and kind not in ("chain", "errors"):
            out.append(asked.unknown("extensions", f"what Middleware {name} ({kind}) makes of the call", found.meta, field))
    return [station for station in out if station is not None]


def _listed(asked: Asked, found: Foreign, field: Path, given: Mapping[str, Any], believed: bool | None) -> Station | None:
    """A list of addresses: of the connection, or with `ipStrategy` of X-Forwarded-For, which entry points drop unless they trust it."""
    name, strategy = f"{found.meta.namespace}/{found.meta.name}", given.get("ipStrategy") or {}
    symptom = Symptom("http", given.get("rejectStatusCode") or 403, "Forbidden")
    depth = int(strategy.get("depth") or 0)
    if not depth and not strategy.get("excludedIPs"):
        return asked.listed("access", found.meta, field, symptom, allow=given.get("sourceRange") or ())
    if believed is None and asked.has("x-forwarded-for"):
        return asked.unknown(
            "access", "whether the entry point trusts X-Forwarded-For: Traefik's options are not in the input", found.meta, field
        )
    address = asked.forwarded(depth) if depth else ""
    if not address and (depth or not asked.has("x-forwarded-for")):
        return asked.denied(
            "access", f"Middleware {name}: no such address in X-Forwarded-For, as far as it is trusted", found.meta, field, symptom
        )
    if not depth:
        return asked.unknown("access", f"which address Middleware {name} compares (excludedIPs)", found.meta, field)
    return asked.listed("access", found.meta, field, symptom, allow=given.get("sourceRange") or (), address=address)


def _redirect(asked: Asked, found: Foreign, field: Path, given: Mapping[str, object], request: Request, location: str) -> Station | None:
    """A redirect, unless it would lead where the request is already."""
    if location == f"{request.scheme}://{request.authority}{request.target}":
        return None
    plain = asked.method == "GET"
    code = (301 if plain else 308) if given.get("permanent") else 302 if plain else 307
    code = 308 if given.get("forcePermanentRedirect") else code
    symptom = Symptom("http", code, "", {"location": location})
    return replace(asked.allowed("route", f"{code} to {location}", found.meta, field), symptom=symptom, answers=True)


def _by_pattern(asked: Asked, found: Foreign, field: Path, given: Mapping[str, object], request: Request) -> Station | None:
    """`redirectRegex` looks at the whole URL, and replaces every match."""
    pattern, url = str(given.get("regex") or ""), f"{request.scheme}://{request.authority}{request.target}"
    match = search(pattern, url)
    if match is None:
        return None
    if isinstance(match, bool):
        return asked.unknown("route", f"whether `{pattern}` matches {url}", found.meta, field)
    location = re.sub(pattern, lambda m: re.sub(r"\$\{?(\d+)\}?", lambda n: _group(m, int(n[1])), str(given.get("replacement") or "")), url)
    return _redirect(asked, found, field, given, request, location)


def _group(match: re.Match[str], number: int) -> str:
    return (match[number] or "") if number <= len(match.groups()) else ""


def _headers(asked: Asked, found: Foreign, settings: dict[str, object]) -> Station | None:
    """CORS: every preflight is answered with 200; a foreign origin gets no headers."""
    origins = settings.get("accessControlAllowOriginList")
    if not isinstance(origins, list) or not asked.has("origin"):
        return None
    origin = asked.headers["origin"][0]
    first = is_preflight(asked.method, asked.headers)
    added: dict[str, str] = {}
    if origin in origins or "*" in origins:
        credentials = settings.get("accessControlAllowCredentials") is True
        added["access-control-allow-origin"] = origin if origin in origins or credentials else "*"
        if credentials:
            added["access-control-allow-credentials"] = "true"
        for header, key in (("methods", "accessControlAllowMethods"), ("headers", "accessControlAllowHeaders")):
            values = settings.get(key)
            if first and isinstance(values, list):
                added[f"access-control-allow-{header}"] = ",".join(map(str, values))
    if not added and not first:
        return None
    symptom = Symptom("http", 200 if first else None, "", added)
    station = Station(
        "cors", asked.controller, ALLOWED, "preflight answered" if first else "adds CORS headers to the answer", symptom=symptom
    )
    return replace(station, answers=first, policies=asked.allowed("cors", "", found.meta, ("spec", "headers")).policies)
