"""What ingress-nginx makes of a call, in the order of nginx's phases, up to the pod that it sends it to.

Source: kubernetes/ingress-nginx:rootfs/etc/nginx/template/nginx.tmpl, rootfs/etc/nginx/lua/{lua_ingress,balancer}.lua,
internal/ingress/annotations/*; nginx/nginx:src/http/ngx_http_core_module.c.
"""

from __future__ import annotations

import re

from meshcheck.model.ingress import Ingress
from meshcheck.model.record import replace
from meshcheck.model.trace import ALLOWED, DENIED, UNKNOWN, Mention, Station, Symptom
from meshcheck.semantics import watching
from meshcheck.semantics.entry.client import peer_of
from meshcheck.semantics.entry.gates import load_balancer, wire
from meshcheck.semantics.entry.ingress_answers import NOT_FOUND, Answers, Door
from meshcheck.semantics.entry.ingress_guards import ENFORCER, FORBIDDEN, Guards, in_list, mention
from meshcheck.semantics.entry.ingress_pods import NoPods, Way, onward
from meshcheck.semantics.entry.passed import Passed, refused
from meshcheck.semantics.ingress import access, cors, redirects
from meshcheck.semantics.ingress.annotations import flag, text
from meshcheck.semantics.ingress.flaws import asks_for_certificates, certificate_flaw, flaw
from meshcheck.semantics.ingress.locations import Undecided, place_of, rewritten
from meshcheck.semantics.ingress.objects import served
from meshcheck.semantics.ingress.servers import ANY, Place, Server, has_certificate, server_of, servers_of
from meshcheck.semantics.nginx.request import BadRequest, host_of, normalised
from meshcheck.semantics.outbound.sending import with_token
from meshcheck.semantics.tracing import symptoms
from meshcheck.semantics.tracing.call import Call

_UNAVAILABLE = Symptom("http", 503, "Service Temporarily Unavailable")
_BAD_REQUEST = Symptom("http", 400, "Bad Request")
_NO_CERTIFICATE = Symptom("http", 400, "No required SSL certificate was sent")
_PLAIN_TO_TLS = Symptom("http", 400, "The plain HTTP request was sent to HTTPS port")
_TOO_LARGE = Symptom("http", 413, "Request Entity Too Large")


def pass_through(call: Call, door: Door) -> Passed:
    """What ingress-nginx makes of a call."""
    if watching.by is not None:
        watching.by.opaque("ingress-nginx looks at requests in its own way")
    return _Nginx(call, door).run()


class _Nginx(Answers):
    """One call at one controller."""

    def __init__(self, call: Call, door: Door) -> None:
        super().__init__(call, door)
        self.servers = servers_of(call.world, self.controller)
        self.headers = with_token(call.question)
        self.certifier: Ingress | None = None
        """The Ingress that says which client certificates its host takes: the first with a CA, else the last."""
        self.peer = peer_of(call, door.service)
        self.address = access.compared(self.controller, self.peer.address, self.peer.why, call.question.source_ip, self.headers)
        self.unread = ""
        """Why nginx does not read the request; empty when it does."""
        try:
            self.host = host_of(self.authority)
            self.path = normalised(self.raw, merge_slashes=True)
        except BadRequest as bad:
            self.unread = str(bad)

    def run(self) -> Passed:
        self.stations += self._wire()
        if end := refused(self.stations):
            return end
        server = server_of(self.servers, self.host)
        for step in (self._connection, self._request, self._client_certificate, self._server):
            if (end := step(server)) is not None:
                return end
        return self._location(server)

    # ---- the connection ----

    def _wire(self) -> list[Station]:
        service, out = self.door.service, []
        if service is not None and service.source_ranges and self.call.who.workload is None:
            out.append(load_balancer(service, self.call.question.source_ip or self.call.who.address))
            if out[-1].verdict == DENIED:
                return out
        return out + wire(self.call, self.door.pod, self.door.port, service, self.peer.address)

    def _connection(self, server: Server) -> Passed | None:
        protocol = self.call.question.protocol
        if protocol not in ("http", "https", "grpc"):
            return self._stop("listener", "it speaks HTTP only", Symptom("reset"), None)
        broken = next((s for s in self.servers.values() if s.refused), None)
        if broken is not None:
            fact = f"what ran before: nginx refuses the configuration, {broken.refused}"
            return Passed(tuple(self.stations), UNKNOWN, None, (fact,))
        encrypted = protocol == "https"
        if not encrypted and str(self.door.port) == (self.controller.option("https-port") or "443"):
            return self._stop("listener", f"port {self.door.port} of {self.door.pod} expects TLS", _PLAIN_TO_TLS, None)
        if encrypted and str(self.door.port) == (self.controller.option("http-port") or "80"):
            return self._stop("listener", f"port {self.door.port} of {self.door.pod} takes plaintext only", symptoms.TLS_FAILURE, None)
        if encrypted and server.host == ANY and self.controller.on("ssl-reject-handshake"):
            return self._stop("tls", f"ssl-reject-handshake: no Ingress has host `{self.host}`", symptoms.TLS_FAILURE, None)
        passed = next((i for i in server.owners if flag(i, "ssl-passthrough")), None)
        if encrypted and passed is not None and self.controller.option("enable-ssl-passthrough") in ("true", ""):
            fact = f"what the pods behind {passed.meta.ref} answer: its TLS is passed through (ssl-passthrough)"
            return Passed(tuple(self.stations), UNKNOWN, None, (fact,))
        return None

    def _request(self, server: Server) -> Passed | None:
        return self._stop("listener", self.unread, _BAD_REQUEST, None) if self.unread else None

    def _client_certificate(self, server: Server) -> Passed | None:
        """nginx asks for client certificates host by host: the first Ingress with a CA decides for all."""
        name = "auth-tls-secret"
        for ingress in server.certifiers:
            self.certifier = ingress
            if text(ingress, name) is None or certificate_flaw(self.world, self.controller, ingress, name) is not None:
                continue
            asked = asks_for_certificates(self.world, ingress)
            if asked is None:
                secret = text(ingress, name) or ""
                why = self.world.unread_secret(*secret.split("/", 1)) if "/" in secret else "it is not in the input"
                fact = f"the Secret `{secret}` of auth-tls-secret: {why}"
                self._note("tls", UNKNOWN, "client certificates", mention(ingress, name), fact)
                return None
            if not asked:
                continue
            if self.call.question.protocol == "https" and (text(ingress, "auth-tls-verify-client") or "on") == "on":
                page = text(ingress, "auth-tls-error-page")
                if page and page.startswith("http"):
                    return self._answer(302, page, mention(ingress, "auth-tls-error-page"))
                return self._stop("tls", "a client certificate is required", _NO_CERTIFICATE, mention(ingress, name), server)
            return None
        return None

    # ---- the host ----

    def _server(self, server: Server) -> Passed | None:
        for key, header in (("block-user-agents", "user-agent"), ("block-referers", "referer")):
            given = ",".join(self.headers.get(header, ()))
            for item in filter(None, (part.strip() for part in self.controller.text(key).split(","))):
                if _mapped(item, given):
                    return self._stop("access", f"{key}: {item}", FORBIDDEN, None, server)
        if server.redirects_to:
            scheme, port = ("https", 443) if self.call.question.protocol == "https" else ("http", 80)
            target = f"{scheme}://{server.redirects_to}:{port}{(self.raw + self.query).removesuffix('/')}"
            return self._answer(redirects.code(self.controller), target, mention(server.owners[0], "from-to-www-redirect"))
        if self.certifier is not None and (name := self._common_name(self.certifier)):
            symptom = Symptom("http", 403, "client certificate unauthorized")
            return self._stop("tls", f"the client has no certificate for {name}", symptom, mention(self.certifier, "auth-tls-match-cn"))
        for ingress in server.certifiers:
            if (wrong := certificate_flaw(self.world, self.controller, ingress, "auth-tls-secret")) is not None:
                return self._stop(
                    "tls", f"{wrong.words}: the whole host answers 403", FORBIDDEN, mention(ingress, wrong.annotation), server
                )
        for ingress in server.owners:
            if text(ingress, "server-snippet") is not None and self.controller.on("allow-snippet-annotations"):
                fact = f"what the server-snippet of {ingress.meta.ref} does"
                self._note("extensions", UNKNOWN, "snippet", mention(ingress, "server-snippet"), fact)
        for place in server.places if self.path == "/" else ():
            if place.ingress is not None and (root := redirects.app_root(place.ingress)):
                scheme = "https" if self.call.question.protocol == "https" else "http"
                return self._answer(302, f"{scheme}://{self.authority}{root}", mention(place.ingress, "app-root"))
        return None

    def _common_name(self, ingress: Ingress) -> str | None:
        """What the name in a client's certificate must match; without a CA nginx compares it, too, and nobody has one."""
        lost = text(ingress, "auth-tls-secret") is None or certificate_flaw(self.world, self.controller, ingress, "auth-tls-secret")
        return None if lost else text(ingress, "auth-tls-match-cn")

    # ---- the location ----

    def _location(self, server: Server) -> Passed:
        try:
            return self._located(server, *place_of(server, self.path, self._is_denied))
        except Undecided as open_question:
            return Passed(tuple(self.stations), UNKNOWN, None, (str(open_question),))

    def _located(self, server: Server, place: Place | None, slash: bool) -> Passed:
        if server.host == ANY and not server.is_regex and (end := self._own_pages(server, place)) is not None:
            return end
        if place is None:
            return self._stop("route", f"no path of host `{server.host}` matches", NOT_FOUND, None, server)
        ingress = place.ingress
        wrong = flaw(self.world, self.controller, ingress) if ingress is not None else None
        if not slash and (end := self._body_size(server, ingress, wrong is not None)) is not None:
            return end
        if slash and ingress is not None:
            by = Mention(ingress.meta, field=place.item.field if place.item else ("spec", "rules"))
            return self._answer(301, self._absolute(ingress, place.path + self.query), by)
        routed = self._routed(server, place)
        if ingress is None:
            if self.controller.option("default-backend-service"):
                fact = f"what the default backend {self.controller.option('default-backend-service')} answers"
                return Passed(tuple(self.stations), UNKNOWN, None, (fact,))
            return self._guarded(server, place) or self._stop("route", self._no_host(server), *self._near())
        if wrong is not None:
            why = f"{wrong.words}: the location answers 503"
            return self._stop("access", why, _UNAVAILABLE, mention(ingress, wrong.annotation), server)
        end = self._rewrite_phase(server, place, ingress)
        if end is not None:
            return end
        way = onward(self.call, self.controller, place, self.headers)
        if isinstance(way, NoPods) and way.early:
            return self._stop("service", way.why, _UNAVAILABLE, routed, server, ingress)
        if (end := self._guarded(server, place)) is not None:
            return end
        if place.backend is None:
            return self._default(place, server, routed)
        return self._sent(server, place, ingress, way, routed)

    def _is_denied(self, place: Place) -> bool:
        return place.ingress is None or place.backend is None or flaw(self.world, self.controller, place.ingress) is not None

    def _routed(self, server: Server, place: Place) -> Mention | None:
        if place.ingress is None:
            return None
        words = f"{place.item.kind} {place.item.path}" if place.item else "no path matches: the host's default"
        by = Mention(place.ingress.meta, field=place.item.field if place.item else ("spec", "rules"))
        self._note("route", ALLOWED, f"{place.ingress.meta.ref}: {words}", by)
        return by

    def _own_pages(self, server: Server, place: Place | None) -> Passed | None:
        """The controller's own pages on the server for unknown hosts."""
        longest = len(place.path) if place is not None and place.kind == "Prefix" else 0
        if place is not None and place.kind == "Exact":
            return None
        if self.path.startswith(self.controller.option("health-check-path") or "/healthz") and longest < len("/healthz"):
            symptom = Symptom("http", 200)
            station = Station("route", ENFORCER, ALLOWED, "the controller's own health page", symptom=symptom, answers=True)
            return Passed((*self.stations, station), ALLOWED, symptom)
        if self.path.startswith("/nginx_status") and longest < len("/nginx_status") and self.address.address not in ("127.0.0.1", "::1"):
            return self._stop("access", "the controller's own status page is for itself only", FORBIDDEN, None, server)
        return None

    def _no_host(self, server: Server) -> str:
        near = self._left_aside()
        words = "; ".join(f"{i.meta.ref} is left aside: {why}" for i, why in near[:2])
        return f"no Ingress has host `{self.host}`" + (f" ({words})" if words else "")

    def _near(self) -> tuple[Symptom, Mention | None]:
        near = self._left_aside()
        return self._page(), Mention(near[0][0].meta) if near else None

    def _left_aside(self) -> list[tuple[Ingress, str]]:
        aside = served(self.world, self.controller)[1]
        return [(i, why) for i, why in aside if any(r.host in (self.host, "") for r in i.rules)]

    def _body_size(self, server: Server, ingress: Ingress | None, refuses: bool) -> Passed | None:
        """nginx's first look at a location; one that only answers 503 has nginx's own limit."""
        given = self.headers.get("content-length", ("",))[0]
        own = text(ingress, "proxy-body-size") if ingress is not None else None
        limit = "1m" if refuses else own or self.controller.text("proxy-body-size") or "1m"
        most = redirects.byte_size(limit)
        if not given.isdigit() or not most or int(given) <= most:
            return None
        by = mention(ingress, "proxy-body-size") if ingress is not None else None
        return self._stop("access", f"proxy-body-size {limit}: the body has {given} bytes", _TOO_LARGE, by, server, ingress)

    def _rewrite_phase(self, server: Server, place: Place, ingress: Ingress) -> Passed | None:
        """What nginx answers before it looks at who calls: preflights, redirects."""
        origin = (self.headers.get("origin") or ("",))[0]
        if cors.is_on(ingress) and (added := cors.headers_for(ingress, origin)) is not None:
            first = self.call.question.method == "OPTIONS"
            symptom = Symptom("http", 204 if first else None, "", added)
            why = "OPTIONS is answered with 204" if first else "adds CORS headers to the answer"
            self.stations.append(
                replace(self._station("cors", ALLOWED, why, mention(ingress, "enable-cors")), symptom=symptom, answers=first)
            )
            if first:
                return Passed(tuple(self.stations), ALLOWED, symptom)
        if text(ingress, "configuration-snippet") is not None and self.controller.on("allow-snippet-annotations"):
            fact = f"what the configuration-snippet of {ingress.meta.ref} does"
            self._note("extensions", UNKNOWN, "snippet", mention(ingress, "configuration-snippet"), fact)
        if place.plain:
            return None
        if (found := redirects.redirect_of(ingress)) is not None:
            return self._answer(found.code, self._absolute(ingress, found.url), mention(ingress, found.annotation))
        target = rewritten(place, self.path)
        if target is not None and target.startswith(("http://", "https://", "$scheme")):
            return self._answer(302, target + self.query, mention(ingress, "rewrite-target"))
        return self._to_tls(place, ingress)

    def _to_tls(self, place: Place, ingress: Ingress) -> Passed | None:
        scheme = "https" if self.call.question.protocol == "https" else "http"
        host = self.authority
        if self.controller.on("use-forwarded-headers"):
            scheme = (self.headers.get("x-forwarded-proto") or (scheme,))[0]
            host = (self.headers.get("x-forwarded-host") or (host,))[0].split(",")[0]
        forced = flag(ingress, "force-ssl-redirect", self.controller.on("force-ssl-redirect"))
        wanted = flag(ingress, "ssl-redirect", self.controller.on("ssl-redirect", True)) and has_certificate(self.servers, self.host)
        if scheme != "http" or not (forced or wanted) or in_list(self.controller, "no-tls-redirect-locations", place.path):
            return None
        target = self.raw + self.query
        if not flag(ingress, "preserve-trailing-slash", self.controller.on("preserve-trailing-slash")):
            target = target.removesuffix("/")
        port = ":443" if flag(ingress, "use-port-in-redirects", self.controller.on("use-port-in-redirects")) else ""
        by = mention(ingress, "force-ssl-redirect") if forced else Mention(ingress.meta, field=("spec", "tls"))
        return self._answer(redirects.code(self.controller), f"https://{host.split(':')[0]}{port}{target}", by)

    def _guarded(self, server: Server, place: Place) -> Passed | None:
        found, ends = Guards(self.world, self.controller, place, self.headers, self.address).stations()
        if not ends:
            self.stations += found
            return None
        self.stations += found[:-1]
        last = found[-1]
        return self._end(last, server, place.ingress)

    def _default(self, place: Place, server: Server, by: Mention | None) -> Passed:
        if service := self.controller.option("default-backend-service"):
            return Passed(tuple(self.stations), UNKNOWN, None, (f"what the default backend {service} answers",))
        target = rewritten(place, self.path)
        if target is not None and not target.startswith("/"):
            return self._stop("route", f"the default backend is asked for `{target}`, which is no path", _BAD_REQUEST, by)
        return self._stop("route", f"no path of host `{server.host}` matches", self._page(), by, server, place.ingress)

    def _sent(self, server: Server, place: Place, ingress: Ingress, way: Way | NoPods, by: Mention | None) -> Passed:
        for name in ("limit-rps", "limit-rpm", "limit-connections"):
            if (limit := text(ingress, name)) is not None and self.call.explain:
                self._note("access", ALLOWED, f"{name} {limit}: one call is taken to be within it", mention(ingress, name))
        switched = flag(ingress, "enable-modsecurity", self.controller.on("enable-modsecurity"))
        rules = (text(ingress, "modsecurity-snippet") if self.controller.on("allow-snippet-annotations") else None) or ""
        if switched and "SecRuleEngine On" in rules + self.controller.text("modsecurity-snippet"):
            fact = "what ModSecurity's rules say to the request"
            self._note("extensions", UNKNOWN, "ModSecurity", mention(ingress, "enable-modsecurity"), fact)
        if isinstance(way, NoPods):
            if way.missing:
                return Passed(tuple(self.stations), UNKNOWN, None, (way.why,))
            return self._stop("service", way.why, way.symptom or _UNAVAILABLE, by, server, ingress)
        target = rewritten(place, self.path)
        whole = (target if target is not None else self.raw) + self.query
        authority = text(ingress, "upstream-vhost") or self.authority
        return way.passed(self.stations, whole, authority, self._forwarded())

    def _forwarded(self) -> dict[str, tuple[str, ...]]:
        out = dict(self.headers)
        whole = self.controller.on("use-forwarded-headers") and self.controller.on("compute-full-forwarded-for")
        if whole and "x-forwarded-for" in out:
            out["x-forwarded-for"] = (", ".join((*out["x-forwarded-for"], self.peer.address)),) if self.peer.address else ("",)
        else:
            out["x-forwarded-for"] = (self.address.address,)
        return out


def _mapped(item: str, given: str) -> bool:
    """Whether a value is one of nginx's `map`: texts without case, or a regular expression."""
    if not item.startswith("~"):
        return bool(given) and item.lower() == given.lower()
    try:
        return re.search(item.removeprefix("~").removeprefix("*"), given, re.IGNORECASE if item.startswith("~*") else 0) is not None
    except re.error:
        return False
