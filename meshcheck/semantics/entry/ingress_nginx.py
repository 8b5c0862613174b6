"""What ingress-nginx makes of a call, in the order of nginx's phases, up to the pod that it sends it to.

Source: kubernetes/ingress-nginx:rootfs/etc/nginx/template/nginx.tmpl; internal/ingress/annotations/*.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from meshcheck.model.core import Secret, Service, Workload
from meshcheck.model.ingress import Ingress
from meshcheck.model.record import replace
from meshcheck.model.trace import ALLOWED, DENIED, UNKNOWN, Mention, Station, Symptom
from meshcheck.semantics.entry.client import peer_of
from meshcheck.semantics.entry.gates import load_balancer, wire
from meshcheck.semantics.entry.passed import Passed, refused
from meshcheck.semantics.ingress import access, cors
from meshcheck.semantics.ingress.controller import Controller, controller_of
from meshcheck.semantics.ingress.locations import Location, Server, location_of, normalised, server_of
from meshcheck.semantics.ingress.objects import PREFIX, note, served
from meshcheck.semantics.nginx.passwords import accepts, credentials
from meshcheck.semantics.outbound.destinations import Sender
from meshcheck.semantics.outbound.sending import Sending, authority_of, with_token
from meshcheck.semantics.request_path import split_target
from meshcheck.semantics.tracing.call import Call
from meshcheck.semantics.tracing.caller import CallerView
from meshcheck.semantics.tracing.target import of_service
from meshcheck.semantics.world.sidecars import sidecar_of

ENFORCER = "ingress-nginx"


class Door(NamedTuple):
    """The controller's pods and the Service through which the call comes."""

    pod: Workload
    service: Service | None
    port: int
    """Of the pod."""


def pass_through(call: Call, door: Door) -> Passed:
    """What ingress-nginx makes of a call."""
    return _Nginx(call, door).run()


class _Nginx:
    """One call at one controller."""

    def __init__(self, call: Call, door: Door) -> None:
        self.call, self.door, self.world = call, door, call.world
        self.controller: Controller = controller_of(call.world, door.pod)
        self.headers = with_token(call.question)
        self.authority = authority_of(call.question, call.what)
        self.stations: list[Station] = []
        peer = peer_of(call, door.service)
        self.address = access.compared(self.controller, peer.address, peer.why, call.question.source_ip, self.headers)
        self.peer = peer

    def run(self) -> Passed:
        question = self.call.question
        self.stations += self._wire()
        if end := refused(self.stations):
            return end
        if question.protocol not in ("http", "https", "grpc"):
            return self._stop("listener", "it speaks HTTP only", Symptom("reset"), None)
        host = re.sub(r":\d+$", "", self.authority.lower())
        found, aside = served(self.world, self.controller)
        server = server_of(found, host)
        if server is None:
            near = [(i, why) for i, why in aside if any(r.host in (host, "") for r in i.rules)]
            words = "; ".join(f"{i.meta.ref} is left aside: {why}" for i, why in near[:2])
            mention = Mention(near[0][0].meta) if near else None
            return self._stop("route", f"no Ingress has host `{host}`" + (f" ({words})" if words else ""), _NOT_FOUND, mention)
        for step in (self._client_certificate, self._user_agents):
            if (end := step(server)) is not None:
                return end
        path, query = split_target(question.path)
        place = location_of(server, normalised(path))
        return self._at(server, place, path, query)

    # ---- before the location ----

    def _wire(self) -> list[Station]:
        service, out = self.door.service, []
        if service is not None and service.source_ranges and self.call.who.workload is None:
            out.append(load_balancer(service, self.call.question.source_ip or self.call.who.address))
            if out[-1].verdict == DENIED:
                return out
        return out + wire(self.call, self.door.pod, self.door.port, service, self.peer.address)

    def _client_certificate(self, server: Server) -> Passed | None:
        for ingress in server.ingresses:
            name = note(ingress, "auth-tls-secret")
            if name is None:
                continue
            namespace, slash, short = name.partition("/")
            secret = self._secret(namespace, short) if slash else None
            if not slash or (secret is None and self.world.complete("Secret", namespace=namespace, name=short)):
                why = (
                    f"auth-tls-secret `{name}` " + ("has no namespace" if not slash else "does not exist") + ": the whole host answers 403"
                )
                return self._stop("tls", why, _FORBIDDEN, self._mention(ingress, "auth-tls-secret"))
            if secret is None:
                fact = f"the Secret `{name}` of auth-tls-secret: it is not in the input"
                self.stations.append(self._station("tls", UNKNOWN, "client certificates", self._mention(ingress, "auth-tls-secret"), fact))
            elif self.call.question.protocol == "https" and (note(ingress, "auth-tls-verify-client") or "on") == "on":
                symptom = Symptom("http", 400, "No required SSL certificate was sent")
                return self._stop("tls", "a client certificate is required", symptom, self._mention(ingress, "auth-tls-secret"))
        return None

    def _user_agents(self, server: Server) -> Passed | None:
        for key, header in (("block-user-agents", "user-agent"), ("block-referers", "referer")):
            given = ",".join(self.headers.get(header, ()))
            for item in filter(None, (part.strip() for part in self.controller.text(key).split(","))):
                pattern = item.removeprefix("~*").removeprefix("~")
                regex = item.startswith("~")
                hit = re.search(pattern, given, re.IGNORECASE if item.startswith("~*") else 0) if regex else given == item
                if given and hit:
                    return self._stop("access", f"{key}: {item}", _FORBIDDEN, None)
        for ingress in server.ingresses:
            if note(ingress, "server-snippet") is not None and self.controller.on("allow-snippet-annotations"):
                fact = f"what the server-snippet of {ingress.meta.ref} does"
                self.stations.append(self._station("extensions", UNKNOWN, "snippet", self._mention(ingress, "server-snippet"), fact))
        return None

    # ---- at the location ----

    def _at(self, server: Server, place: Location, path: str, query: str) -> Passed:
        ingress, question = place.ingress, self.call.question
        words = f"{ingress.meta.ref}: " + (f"{place.path.kind} {place.path.path}" if place.path else "no path matches: the host's default")
        mention = Mention(ingress.meta, field=place.path.field if place.path else ("spec", "rules"))
        self.stations.append(self._station("route", ALLOWED, words, mention))
        origin = (self.headers.get("origin") or ("",))[0]
        if cors.is_on(ingress) and (added := cors.headers_for(ingress, origin)) is not None:
            by, first = self._mention(ingress, "enable-cors"), question.method == "OPTIONS"
            symptom = Symptom("http", 204 if first else None, "", added)
            why = "OPTIONS is answered with 204" if first else "adds CORS headers to the answer"
            self.stations.append(replace(self._station("cors", ALLOWED, why, by), symptom=symptom, answers=first))
            if first:
                return Passed(tuple(self.stations), ALLOWED, symptom)
        if note(ingress, "configuration-snippet") is not None and self.controller.on("allow-snippet-annotations"):
            fact = f"what the configuration-snippet of {ingress.meta.ref} does"
            self.stations.append(self._station("extensions", UNKNOWN, "snippet", self._mention(ingress, "configuration-snippet"), fact))
        if (end := self._redirects(server, place, path, query)) is not None:
            return end
        if place.path is None and place.backend is None:
            return self._stop("route", f"no path of host `{server.host or '*'}` matches", _NOT_FOUND, mention)
        if (end := self._access(ingress, place)) is not None:
            return end
        return self._onward(place, path, query)

    def _redirects(self, server: Server, place: Location, path: str, query: str) -> Passed | None:
        ingress, question = place.ingress, self.call.question
        host = re.sub(r":\d+$", "", self.authority)
        for name, code in (("permanent-redirect", 301), ("temporal-redirect", 302)):
            if target := note(ingress, name):
                return self._answer(_code(note(ingress, f"{name}-code"), code), target, self._mention(ingress, name))
        if broken := self._broken(ingress):
            return self._stop("access", broken[0] + ": the location answers 503", _UNAVAILABLE, broken[1])
        plain = question.protocol != "https"
        if plain and self.controller.on("use-forwarded-headers"):
            plain = (self.headers.get("x-forwarded-proto") or ("http",))[0] != "https"
        wanted = note(ingress, "ssl-redirect") or self.controller.text("ssl-redirect") or "true"
        forced = (note(ingress, "force-ssl-redirect") or self.controller.text("force-ssl-redirect")) == "true"
        exempt = (self.controller.text("no-tls-redirect-locations") or "/.well-known/acme-challenge").split(",")
        named = [hosts for i in served(self.world, self.controller)[0] for hosts, _ in i.tls]
        has_certificate = any(not hosts or any(_covers(h, host.lower()) for h in hosts) for hosts in named)
        if plain and (forced or (wanted == "true" and has_certificate)) and not any(e and path.startswith(e) for e in exempt):
            by = self._mention(ingress, "force-ssl-redirect") if forced else Mention(ingress.meta, field=("spec", "tls"))
            return self._answer(_code(self.controller.text("http-redirect-code"), 308), f"https://{host}{path}{query}", by)
        if place.slash:
            return self._answer(
                301, f"{question.protocol}://{host}{path}/{query}", Mention(ingress.meta, field=place.path.field if place.path else ())
            )
        return None

    def _broken(self, ingress: Ingress) -> tuple[str, Mention] | None:
        """An annotation that cannot be parsed, or names what does not exist: the location is denied."""
        lists = access.lists_of(self.controller, ingress)
        if lists.broken:
            return lists.broken, self._mention(ingress, lists.allow_name)
        kind = note(ingress, "auth-type")
        if kind is not None and kind not in ("basic", "digest"):
            return f"auth-type `{kind}` is neither basic nor digest", self._mention(ingress, "auth-type")
        if kind is not None:
            namespace, name = self._auth_secret(ingress)
            mention = self._mention(ingress, "auth-secret")
            if namespace != ingress.meta.namespace and not self.controller.on("allow-cross-namespace-resources"):
                return f"auth-secret {namespace}/{name} is in another namespace", mention
            secret = self._secret(namespace, name)
            if secret is None and self.world.complete("Secret", namespace=namespace, name=name):
                return f"auth-secret {namespace}/{name} does not exist", mention
            if secret is not None and (note(ingress, "auth-secret-type") or "auth-file") == "auth-file" and "auth" not in secret.keys:
                return f"auth-secret {namespace}/{name} has no key `auth`", mention
        url = note(ingress, "auth-url")
        if url is not None and (not re.match(r"https?://[^/]+", url) or ".." in url.partition("://")[2].partition("/")[0]):
            return f"auth-url `{url}` is no URL with scheme and host", self._mention(ingress, "auth-url")
        return None

    # ---- who may pass ----

    def _access(self, ingress: Ingress, place: Location) -> Passed | None:
        """Addresses, basic authentication and the authorizer; `satisfy: any` lets pass whom one of them lets pass."""
        checks = [c for c in (self._addresses(ingress), self._basic(ingress, place), self._authorizer(ingress, place)) if c is not None]
        if note(ingress, "satisfy") == "any" and len(checks) > 1:
            if any(c.verdict == ALLOWED for c in checks):
                self.stations.append(
                    self._station("access", ALLOWED, "satisfy any: one of the checks lets it pass", self._mention(ingress, "satisfy"))
                )
                return None
            if any(c.verdict == UNKNOWN for c in checks):
                self.stations += [c for c in checks if c.verdict == UNKNOWN]
                return None
            worst = next((c for c in checks if c.symptom is not None and c.symptom.status == 401), checks[0])
            self.stations.append(worst)
            return Passed(tuple(self.stations), DENIED, worst.symptom)
        for check in checks:
            self.stations.append(check)
            if check.verdict == DENIED:
                return Passed(tuple(self.stations), DENIED, check.symptom)
        return None

    def _addresses(self, ingress: Ingress) -> Station | None:
        lists = access.lists_of(self.controller, ingress)
        if not lists.deny and not lists.allow:
            if self.controller.settings is None:
                fact = f"the ConfigMap of {self.door.pod} (block-cidrs, whitelist-source-range …): it is not in the input"
                return self._station("access", UNKNOWN, "settings of the controller", None, fact)
            return None
        name = lists.allow_name if lists.allow and note(ingress, lists.allow_name) else "denylist-source-range"
        mention = self._mention(ingress, name)
        said = access.admits(lists, self.address.address)
        listed = ", ".join([*(f"deny {d}" for d in lists.deny), *(f"allow {a}" for a in lists.allow)])
        if said is None:
            return self._station("access", UNKNOWN, listed, mention, self.address.why)
        words = f"{listed}: {'admits' if said else 'does not admit'} {self.address.address} ({self.address.why})"
        return replace(self._station("access", ALLOWED if said else DENIED, words, mention), symptom=None if said else _FORBIDDEN)

    def _exempt(self, place: Location) -> bool:
        entries = (self.controller.text("no-auth-locations") or "/.well-known/acme-challenge").split(",")
        return place.path is not None and any(e and place.path.path.startswith(e) for e in entries)

    def _auth_secret(self, ingress: Ingress) -> tuple[str, str]:
        namespace, _, name = (note(ingress, "auth-secret") or "").rpartition("/")
        return namespace or ingress.meta.namespace, name

    def _basic(self, ingress: Ingress, place: Location) -> Station | None:
        if note(ingress, "auth-type") is None or self._exempt(place):
            return None
        mention = self._mention(ingress, "auth-secret")
        symptom = Symptom("http", 401, "Authorization Required")
        given = credentials(self.headers.get("authorization", ("",))[0])
        if given is None:
            return replace(self._station("access", DENIED, "no user and password in the request", mention), symptom=symptom)
        secret = self._secret(*self._auth_secret(ingress))
        sealed = secret.credentials.get("auth") if secret is not None else None
        said = accepts(sealed.reveal(), *given) if sealed is not None and note(ingress, "auth-type") == "basic" else None
        if said is None:
            return self._station("access", UNKNOWN, "user and password", mention, "whether the Secret accepts the user and the password")
        words = f"user {given[0]} is {'accepted' if said else 'not accepted'}"
        return replace(self._station("access", ALLOWED if said else DENIED, words, mention), symptom=None if said else symptom)

    def _authorizer(self, ingress: Ingress, place: Location) -> Station | None:
        url, name = note(ingress, "auth-url"), "auth-url"
        if url is None and self.controller.text("global-auth-url") and note(ingress, "enable-global-auth") != "false":
            url = self.controller.text("global-auth-url")
        if url is None or self._exempt(place):
            return None
        fact = f"what the authorizer {url} answers: 2xx lets pass, 401 and 403 are handed on, anything else is a 500"
        return self._station("custom", UNKNOWN, f"{url} is asked", self._mention(ingress, name), fact)

    # ---- to the pods ----

    def _onward(self, place: Location, path: str, query: str) -> Passed:
        ingress, pod = place.ingress, self.door.pod
        for name in ("limit-rps", "limit-rpm", "limit-connections"):
            if (limit := note(ingress, name)) is not None and self.call.explain:
                words = f"{name} {limit}: one call is taken to be within it"
                self.stations.append(self._station("access", ALLOWED, words, self._mention(ingress, name)))
        engine = "SecRuleEngine On" in (note(ingress, "modsecurity-snippet") or self.controller.text("modsecurity-snippet"))
        if engine and (note(ingress, "enable-modsecurity") or self.controller.text("enable-modsecurity")) == "true":
            fact = "what ModSecurity's rules say to the request"
            self.stations.append(self._station("extensions", UNKNOWN, "ModSecurity", self._mention(ingress, "enable-modsecurity"), fact))
        backend = place.backend
        mention = Mention(ingress.meta, field=place.path.field if place.path else ("spec", "defaultBackend"))
        service = self.world.service(ingress.meta.namespace, backend.service) if backend is not None else None
        if backend is None or (service is None and self.world.complete("Service", namespace=ingress.meta.namespace)):
            name = backend.service if backend is not None else "no Service"
            return self._stop("service", f"Service {ingress.meta.namespace}/{name} does not exist", _UNAVAILABLE, mention)
        if service is None:
            fact = f"the Service `{ingress.meta.namespace}/{backend.service}`: it is not in the input"
            return Passed(tuple(self.stations), UNKNOWN, None, (fact,))
        port = next((p for p in service.ports if backend.port in (p.number, p.name)), None)
        view = of_service(self.world, service, port.number) if port is not None else None
        if port is None or view is None or (not view.backends and view.refused):
            why = (
                view.refused
                if view is not None and view.refused
                else f"Service {service.namespace}/{service.name} has no port {backend.port}"
            )
            return self._stop("service", why, _UNAVAILABLE, mention)
        if view.missing:
            return Passed(tuple(self.stations), UNKNOWN, None, (view.missing,))
        authority = note(ingress, "upstream-vhost") or self.authority
        base = Sending((), None, "plaintext", True, True, self._rewritten(place, path) + query, authority, self.call.question.method, None,
                       headers=self._forwarded(), proxy="nginx")  # fmt: skip
        side = sidecar_of(self.world, pod)
        if side.present and note(ingress, "service-upstream") == "true":
            sender = Sender(self.world, self.call.question, pod, "route", ENFORCER)
            sendings = sender.to_service(replace(base, proxy="envoy"), service, port.number, None, mention)
        else:
            tls = (note(ingress, "backend-protocol") or "HTTP") in ("HTTPS", "GRPCS")
            base = replace(base, transport="tls" if tls else "plaintext", originates_tls=tls, proxy="envoy" if side.present else "nginx")
            sendings = [replace(base, backend=b) for b in view.backends]
        address = pod.addresses[0] if pod.addresses else ""
        caller = replace(self.call.who.caller, external=False)
        who = CallerView(caller, str(pod), pod, pod.namespace, pod.service_account, side, address)
        question = replace(self.call.question, source_ip=None, protocol="grpc" if self.call.question.protocol == "grpc" else "http")
        return Passed(tuple(self.stations), None, None, (), question, who, tuple(sendings))

    def _rewritten(self, place: Location, path: str) -> str:
        target = note(place.ingress, "rewrite-target")
        if not target or place.path is None:
            return path
        for number, group in enumerate(place.captures, 1):
            target = target.replace(f"${number}", group)
        return re.sub(r"\$\d", "", target)

    def _forwarded(self) -> dict[str, tuple[str, ...]]:
        out = dict(self.headers)
        if self.controller.on("compute-full-forwarded-for") and "x-forwarded-for" in out:
            out["x-forwarded-for"] = (",".join((*out["x-forwarded-for"], self.address.address)),) if self.address.address else ("",)
        else:
            out["x-forwarded-for"] = (self.address.address,)
        return out

    # ---- words ----

    def _secret(self, namespace: str, name: str) -> Secret | None:
        return self.world.secret(namespace, name)

    def _mention(self, ingress: Ingress, name: str) -> Mention:
        return Mention(ingress.meta, field=("metadata", "annotations", PREFIX + name) if note(ingress, name) is not None else ("metadata",))

    def _station(self, name: str, verdict: str, summary: str, mention: Mention | None, missing: str | None = None) -> Station:
        mentions = (mention,) if mention else ()
        decider = mention if verdict == DENIED else None
        return Station(name, ENFORCER, verdict, summary, mentions, decider=decider, missing=missing, workload=str(self.door.pod))

    def _stop(self, name: str, why: str, symptom: Symptom, mention: Mention | None) -> Passed:
        station = replace(self._station(name, DENIED, why, mention), symptom=symptom)
        return Passed((*self.stations, station), DENIED, symptom)

    def _answer(self, status: int, location: str, by: Mention) -> Passed:
        symptom = Symptom("http", status, "", {"location": location})
        station = replace(self._station("route", ALLOWED, f"{status} to {location}", by), symptom=symptom, answers=True, decider=by)
        return Passed((*self.stations, station), ALLOWED, symptom)


_NOT_FOUND = Symptom("http", 404, "Not Found")
_FORBIDDEN = Symptom("http", 403, "Forbidden")
_UNAVAILABLE = Symptom("http", 503, "Service Temporarily Unavailable")


def _code(text: str | None, default: int) -> int:
    """A status that an annotation or the ConfigMap gives; the default where it is no number."""
    return int(text) if text and text.isdigit() else default


def _covers(declared: str, host: str) -> bool:
    return declared == host or (declared.startswith("*.") and host.partition(".")[2] == declared[2:])
