"""How ingress-nginx ends a call by itself: refusals, redirects, and the pages that stand in for them.

Source: kubernetes/ingress-nginx:rootfs/etc/nginx/template/nginx.tmpl (CUSTOM_ERRORS), internal/ingress/controller/controller.go.
"""

from __future__ import annotations

from meshcheck.model.core import Service, Workload
from meshcheck.model.ingress import Ingress
from meshcheck.model.record import NamedTuple, replace
from meshcheck.model.trace import ALLOWED, DENIED, UNKNOWN, Mention, Station, Symptom
from meshcheck.semantics.entry.ingress_guards import ENFORCER
from meshcheck.semantics.entry.passed import Passed
from meshcheck.semantics.ingress import redirects
from meshcheck.semantics.ingress.annotations import flag
from meshcheck.semantics.ingress.controller import Controller, controller_of
from meshcheck.semantics.ingress.servers import Server
from meshcheck.semantics.outbound.sending import authority_of
from meshcheck.semantics.request_path import split_target
from meshcheck.semantics.tracing.call import Call
from meshcheck.semantics.tracing.target import of_service

NOT_FOUND = Symptom("http", 404, "Not Found")
_NO_PAGE = Symptom("http", 500, "Internal Server Error")


class Door(NamedTuple):
    """The controller's pods and the Service through which the call comes."""

    pod: Workload
    service: Service | None
    port: int
    """Of the pod."""


class Answers:
    """One call at one controller, and what has been said about it so far."""

    def __init__(self, call: Call, door: Door) -> None:
        self.call, self.door, self.world = call, door, call.world
        self.controller: Controller = controller_of(call.world, door.pod)
        self.authority = authority_of(call.question, call.what)
        self.raw, self.query = split_target(call.question.path)
        self.host, self.path = "", ""
        """As nginx reads them."""
        self.stations: list[Station] = []

    def _absolute(self, ingress: Ingress, url: str) -> str:
        """A Location as nginx sends it: a path gets the scheme and the host that were asked for."""
        if not url.startswith("/") or flag(ingress, "relative-redirects", self.controller.on("relative-redirects")):
            return url
        return f"{'https' if self.call.question.protocol == 'https' else 'http'}://{self.host}{url}"

    def _note(self, name: str, verdict: str, words: str, by: Mention | None, fact: str | None = None) -> None:
        self.stations.append(self._station(name, verdict, words, by, fact))

    def _station(self, name: str, verdict: str, summary: str, by: Mention | None, missing: str | None = None) -> Station:
        decider = by if verdict == DENIED else None
        return Station(name, ENFORCER, verdict, summary, (by,) if by else (), decider=decider, missing=missing, workload=str(self.door.pod))

    def _stop(
        self, name: str, why: str, symptom: Symptom, by: Mention | None, server: Server | None = None, ingress: Ingress | None = None
    ) -> Passed:
        station = replace(self._station(name, DENIED, why, by), symptom=symptom)
        return self._end(station, server, ingress)

    def _end(self, station: Station, server: Server | None, ingress: Ingress | None) -> Passed:
        """The end of a call; `custom-http-errors` put the answer of the default backend in place of nginx's own."""
        symptom = station.symptom
        assert symptom is not None
        codes = redirects.custom_errors(self.controller, ingress)
        if server is None or symptom.kind != "http" or str(symptom.status) not in codes:
            return Passed((*self.stations, station), DENIED, symptom)
        service = redirects.error_page_service(self.controller, ingress)
        station = replace(station, summary=f"{station.summary}; custom-http-errors replace the {symptom.status}")
        if service and self._has_pods(service):
            fact = f"what {service} answers in place of the {symptom.status} (custom-http-errors)"
            return Passed((*self.stations, replace(station, verdict=UNKNOWN, missing=fact, symptom=None)), UNKNOWN, None, (fact,))
        page = self._page()
        return Passed((*self.stations, replace(station, symptom=page)), DENIED, page)

    def _page(self) -> Symptom:
        """What the controller's own default backend answers: 404, and if just that is in the ConfigMap's custom-http-errors, 500.

        The list is valid for the default backend, too, which has no pages to put in place of its own 404.
        """
        return _NO_PAGE if "404" in redirects.custom_errors(self.controller, None) else NOT_FOUND

    def _has_pods(self, name: str) -> bool:
        """Whether a Service has pods; one that is not in the input may have some."""
        namespace, _, short = name.partition("/")
        service = self.world.service(namespace, short)
        if service is None or not service.ports:
            return service is None and not self.world.complete("Service", namespace=namespace)
        view = of_service(self.world, service, service.ports[0].number)
        return bool(view.backends) or view.missing is not None

    def _answer(self, status: int, location: str, by: Mention) -> Passed:
        symptom = Symptom("http", status, "", {"location": location})
        station = replace(self._station("route", ALLOWED, f"{status} to {location}", by), symptom=symptom, answers=True, decider=by)
        return Passed((*self.stations, station), ALLOWED, symptom)
