"""A call at Contour's Envoy: the host's root, TLS, the route, and the filters in their order.

Source: projectcontour/contour:internal/envoy/v3/{listener,route}.go, internal/xdscache/v3/{listener,route}.go.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from meshcheck.model.core import Service
from meshcheck.model.foreign import Foreign
from meshcheck.model.ingress import Backend
from meshcheck.model.istio_networking import HttpMatch
from meshcheck.model.objects import Path
from meshcheck.model.record import replace
from meshcheck.model.trace import DENIED, Mention, Station, Symptom
from meshcheck.semantics import http_methods, request_path
from meshcheck.semantics.entry.found import Found
from meshcheck.semantics.ingress.contour import guards
from meshcheck.semantics.ingress.contour.routes import Route, routes_of
from meshcheck.semantics.ingress.contour.validity import host_of, invalid, is_served
from meshcheck.semantics.ingress.others.asked import Asked
from meshcheck.semantics.outbound.sending import authority_of, with_token
from meshcheck.semantics.routing import answers, cors
from meshcheck.semantics.routing.match import RouteRequest, first_failure
from meshcheck.semantics.routing.selection import host_covers
from meshcheck.semantics.tracing import symptoms
from meshcheck.semantics.tracing.call import Call

Item = Mapping[str, Any]
_NAME = "contour"


def find(call: Call, host: str) -> Found | None:
    """What Contour makes of a call to a host; None when no HTTPProxy has the host."""
    root = _root(call, host)
    if root is None and call.question.protocol == "https":
        root = _root(call, _server_name(call))  # the connection is for another host than the request
    return None if root is None else _At(call, root, host).found()


def _server_name(call: Call) -> str:
    return (call.question.sni or call.what.host).lower().removesuffix(".")


def _root(call: Call, host: str) -> Foreign | None:
    """The root of a host: by name, else by the longest name with a star; one that Envoy does not have only where there is no other."""
    served = [p for p in call.world.inventory.of("HTTPProxy") if is_served(p)]
    fitting = [(name, p) for p in served if (name := host_of(p)) and host_covers(name, host) and (name == host or name.startswith("*."))]
    fitting.sort(key=lambda pair: (pair[0].startswith("*"), -len(pair[0])))
    there = (p for _, p in fitting if invalid(call.world, p) is None and routes_of(call.world, p))
    return next(there, fitting[0][1] if fitting else None)


class _At:
    """One call at one root."""

    def __init__(self, call: Call, root: Foreign, host: str) -> None:
        self.call, self.root, self.host = call, root, host
        self.vhost: Item = root.spec.get("virtualhost") or {}
        self.tls: Item | None = self.vhost.get("tls")
        self.secure = call.question.protocol == "https"
        self.headers = with_token(call.question)

    def found(self) -> Found:
        early = self._connection() or self._request()
        if early is not None:
            return Found(_NAME, self.root.meta, ("spec", "virtualhost"), Backend("", 0), lambda asked, service: [early])
        path, query = request_path.split_target(self.call.question.path)
        path = request_path.normalise(path, "MERGE_SLASHES")
        authority = authority_of(self.call.question, self.call.what)
        request = RouteRequest(
            self.call.question.method, path, query, "https" if self.secure else "http", authority, self.headers, 443 if self.secure else 80,
            "", {}, None,
        )  # fmt: skip
        route = next((r for r in routes_of(self.call.world, self.root) if first_failure(r.match, request) is None), None)
        if route is None:
            return Found(_NAME, self.root.meta, ("spec", "routes"), None, lambda asked, service: [])
        leads = [s for s in route.item.get("services") or () if not s.get("mirror")]
        backends = self._backends(route, leads)
        return Found(
            _NAME, route.proxy.meta, route.field, backends[0] if backends else Backend("", 0),
            lambda asked, service: self._filters(asked, route, request, bool(backends)), others=tuple(backends[1:]),
            target=_rewritten(route, path, query),
        )  # fmt: skip

    # ---- before a route is chosen ----

    def _denied(self, name: str, why: str, symptom: Symptom, field: Path = ("spec", "virtualhost")) -> Station:
        mention = Mention(self.root.meta, field=field)
        return Station(name, _NAME, DENIED, why, (mention,), symptom=symptom, decider=mention)

    def _connection(self) -> Station | None:
        wrong = invalid(self.call.world, self.root)
        if wrong is not None:
            why = f"{self.root.meta.ref} is not valid: {wrong}"
            return self._denied("route", why, symptoms.TLS_FAILURE if self.secure else Symptom("http", 404, ""))
        if not self.secure:
            return None
        name = _server_name(self.call)
        first = _root(self.call, name)
        if first is None or not _ends_tls(first):
            return self._denied("tls", f"Contour ends no TLS for {name}", symptoms.TLS_FAILURE)
        if first is not self.root or not host_covers(host_of(self.root) or "", self.host):
            return self._denied("route", f"the connection is for {name} (SNI), the request for {self.host}", symptoms.MISDIRECTED)
        assert self.tls is not None
        if not routes_of(self.call.world, self.root):
            return self._denied("tls", f"{self.root.meta.ref} has no route that is valid: Contour ends no TLS for it", symptoms.TLS_FAILURE)
        checks = self.tls.get("clientValidation")
        if checks is not None and checks.get("optionalClientCertificate") is not True:
            field = ("spec", "virtualhost", "tls", "clientValidation")
            return self._denied("tls", "a client certificate is required", symptoms.TLS_FAILURE, field)
        return None

    def _request(self) -> Station | None:
        refused = http_methods.refusal(self.call.question.method, self.headers)
        if refused is not None:
            return self._denied("listener", refused, symptoms.BAD_REQUEST)
        path = request_path.split_target(self.call.question.path)[0]
        try:
            request_path.normalise(path, "MERGE_SLASHES")
        except request_path.BadPath:
            return self._denied("listener", f"the path `{path}` is not one that Envoy accepts", symptoms.BAD_PATH)
        return None

    # ---- the filters, and what the route does ----

    def _filters(self, asked: Asked, route: Route, request: RouteRequest, leads: bool) -> list[Station]:
        mention = Mention(route.proxy.meta, field=route.field)
        upgraded = not self.secure and self.tls is not None and route.item.get("permitInsecure") is not True and not route.lost
        own = not upgraded and leads and bool(route.item.get("services"))
        out: list[Station] = []
        if own and self.vhost.get("corsPolicy") and asked.has("origin"):  # Envoy's own answers know no CORS
            by = Mention(self.root.meta, field=("spec", "virtualhost", "corsPolicy"))
            station = cors.answer(_cors(self.vhost["corsPolicy"]), asked.method, asked.headers, by)
            out += [replace(station, enforcer=_NAME)] if station is not None else []
        if out and out[-1].answers:
            return out
        lists = (route.proxy, route.field, route.item) if own else None
        out += guards.addresses(asked, self.root, self.vhost, lists)
        if any(s.verdict == DENIED for s in out):
            return [s for s in out if s.verdict != DENIED] + [next(s for s in out if s.verdict == DENIED)]
        if self.secure:
            out += guards.credentials(asked, self.root, self.vhost, route.proxy, route.field, route.item if own else {})
        if out and out[-1].verdict == DENIED:
            return out
        return [*out, *self._action(asked, route, request, upgraded, leads, mention)]

    def _action(self, asked: Asked, route: Route, request: RouteRequest, upgraded: bool, leads: bool, by: Mention) -> list[Station]:
        """What Envoy answers by itself: a redirect, a response, or that there is nobody to send to."""
        if route.lost:
            return [asked.denied("route", f"{route.lost}: Contour answers 502", by.meta, by.field, Symptom("http", 502, ""))]
        if upgraded:
            symptom = Symptom("http", 301, "", {"location": answers.location({"scheme": "https"}, None, request)})
            return [replace(asked.allowed("route", "TLS is enforced: 301 to https", by.meta, by.field), symptom=symptom, answers=True)]
        if (redirect := route.item.get("requestRedirectPolicy")) is not None:
            words = {"authority": redirect.get("hostname"), "scheme": redirect.get("scheme"), "port": redirect.get("port")}
            words |= {"uri": redirect.get("path"), "prefixAsWritten": redirect.get("prefix")}
            status = redirect.get("statusCode") or 301
            symptom = Symptom("http", status, "", {"location": answers.location(words, route.match, request)})
            return [replace(asked.allowed("route", f"redirect with {status}", by.meta, by.field), symptom=symptom, answers=True)]
        if (response := route.item.get("directResponsePolicy")) is not None:
            status = int(response.get("statusCode") or 0)
            symptom = Symptom("http", status, str(response.get("body") or ""))
            if status >= 400:
                return [asked.denied("route", f"directResponsePolicy: {status}", by.meta, by.field, symptom)]
            return [replace(asked.allowed("route", f"directResponsePolicy: {status}", by.meta, by.field), symptom=symptom, answers=True)]
        if not leads:
            return [asked.denied("service", "none of its Services is there", by.meta, by.field, Symptom("http", 503, ""))]
        return []

    def _backends(self, route: Route, leads: list[Item]) -> list[Backend]:
        """The Services that exist, have the port and have a share of the calls."""
        world, space = self.call.world, route.proxy.meta.namespace
        found = []
        for lead in leads:
            service = world.service(space, str(lead.get("name")))
            known = service is not None or not world.complete("Service", namespace=space)
            if known and (service is None or _has_port(service, lead.get("port"))):
                found.append(lead)
        weighed = [lead for lead in found if lead.get("weight")]
        return [Backend(str(lead.get("name")), lead.get("port") or 0) for lead in (weighed or found)]


def _ends_tls(root: Foreign) -> bool:
    tls = (root.spec.get("virtualhost") or {}).get("tls")
    return tls is not None and tls.get("passthrough") is not True


def _has_port(service: Service, number: object) -> bool:
    return any(port.number == number for port in service.ports)


def _cors(policy: Item) -> Item:
    """The policy as Envoy has it: an origin that Go reads as a scheme and a host, with brackets and stars, is taken by the letter."""
    listed: list[Item] = []
    for origin in policy.get("allowOrigin") or ():
        exact = origin == "*" or re.fullmatch(r"[a-z][a-z0-9+.-]*://[\w.~!$&'()*+,;=\[\]<>\"-]+(:\d*)?", str(origin), re.ASCII)
        listed.append({"exact" if exact else "regex": str(origin)})
    return {**{key: value for key, value in policy.items() if key != "allowOrigin"}, "allowOrigins": listed}


def _rewritten(route: Route, path: str, query: str) -> str | None:
    """Path and query after `pathRewritePolicy.replacePrefix`; None when they stay."""
    rules = (route.item.get("pathRewritePolicy") or {}).get("replacePrefix") or ()
    match: HttpMatch = route.match
    if not rules or match.path is None or match.path.kind != "prefix":
        return None
    prefix = match.path.value
    rule = next((r for r in rules if r.get("prefix") == prefix), None) or next((r for r in rules if not r.get("prefix")), None)
    if rule is None:
        return None
    replacement = str(rule.get("replacement") or "")
    if prefix == "/":
        return replacement + path[1:] + query
    rest = path[len(prefix.rstrip("/")) :]
    return (replacement.rstrip("/") + rest or "/") + query
