"""Traefik: middlewares, in the order in which a router lists them; a router that lists a missing one is dropped.

Source: traefik/traefik:pkg/middlewares/*, pkg/provider/kubernetes/{ingress,crd}.
"""

from __future__ import annotations

from collections.abc import Iterable

from meshcheck.model.foreign import Foreign
from meshcheck.model.objects import Meta, Path
from meshcheck.model.record import replace
from meshcheck.model.trace import ALLOWED, DENIED, Station, Symptom
from meshcheck.semantics.ingress.others.asked import Asked
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
            "buffering",
            "contentType",
            "retry",
        ),
        *("circuitBreaker", "rateLimit", "inFlightReq", "grpcWeb", "passTLSClientCert"),
    )
)


def from_annotation(meta: Meta) -> list[tuple[str, str]]:
    """(namespace, name) of `router.middlewares`: entries NAMESPACE-NAME@kubernetescrd."""
    out = []
    for entry in meta.annotations.get("traefik.ingress.kubernetes.io/router.middlewares", "").split(","):
        text, _, provider = entry.strip().partition("@")
        if text and provider in ("kubernetescrd", ""):
            namespace = meta.namespace if text.startswith(meta.namespace + "-") else text.partition("-")[0]
            out.append((namespace, text[len(namespace) + 1 :]))
    return out


def stations(asked: Asked, wanted: Iterable[tuple[str, str]], router: Meta, field: Path) -> list[Station]:
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
        for station in _one(asked, found):
            out.append(station)
            if station.verdict == DENIED or station.answers:
                return out
    return out


def _one(asked: Asked, found: Foreign) -> list[Station]:
    out: list[Station | None] = []
    name = f"{found.meta.namespace}/{found.meta.name}"
    for kind, settings in found.spec.items():
        field: Path = ("spec", kind)
        given = settings if isinstance(settings, dict) else {}
        if kind in ("ipAllowList", "ipWhiteList"):
            strategy = given.get("ipStrategy") or {}
            symptom = Symptom("http", given.get("rejectStatusCode") or 403, "Forbidden")
            address = asked.forwarded(int(strategy["depth"])) if strategy.get("depth") else None
            if strategy.get("excludedIPs"):
                out.append(asked.unknown("access", f"which address Middleware {name} compares (excludedIPs)", found.meta, field))
            else:
                out.append(asked.listed("access", found.meta, field, symptom, allow=given.get("sourceRange") or (), address=address))
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
            symptom = Symptom("http", 301 if given.get("permanent") else 302, "", {"location": f"{given.get('scheme') or 'https'}://…"})
            out.append(replace(asked.allowed("route", "redirectScheme", found.meta, field), symptom=symptom, answers=True))
        elif kind not in _HARMLESS and kind not in ("chain", "errors"):
            out.append(asked.unknown("extensions", f"what Middleware {name} ({kind}) makes of the call", found.meta, field))
    return [station for station in out if station is not None]


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
