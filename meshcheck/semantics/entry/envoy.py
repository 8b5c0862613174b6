"""What a gateway of Istio makes of a call: listener, TLS, the filters of its proxy, and the route.

Sources: istio/istio:pilot/pkg/networking/core/gateway.go, listener_builder.go:buildHTTPConnectionManager; route/route.go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from meshcheck.model.core import Service, Workload
from meshcheck.model.gateway_api import GROUP
from meshcheck.model.istio_networking import L4Route
from meshcheck.model.mesh_config import Topology
from meshcheck.model.objects import Meta
from meshcheck.model.record import NamedTuple, replace
from meshcheck.model.trace import ALLOWED, DENIED, UNKNOWN, Mention, Station, Symptom
from meshcheck.semantics import watching
from meshcheck.semantics.authorization.attributes import Attributes
from meshcheck.semantics.entry.certificates import certificate
from meshcheck.semantics.entry.client import Peer, peer_of, remote_address
from meshcheck.semantics.entry.config import Config
from meshcheck.semantics.entry.edge import seen_headers, sent_on
from meshcheck.semantics.entry.gates import load_balancer, wire
from meshcheck.semantics.entry.hints import Hints, mention_of, no_route
from meshcheck.semantics.entry.isolation import misdirected, not_isolated
from meshcheck.semantics.entry.passed import Passed, refused, unknown
from meshcheck.semantics.gateway.layer4 import has_host, tcp_route, tls_route
from meshcheck.semantics.gateway.servers import Bound, Port
from meshcheck.semantics.gateway.virtual_hosts import Entry, Picked, Table, pick, table
from meshcheck.semantics.outbound.destinations import Sender
from meshcheck.semantics.outbound.sending import Sending, authority_of, with_token
from meshcheck.semantics.request_path import split_target
from meshcheck.semantics.routing import answers, cors
from meshcheck.semantics.routing.delegates import unknown_delegate
from meshcheck.semantics.routing.match import RouteRequest
from meshcheck.semantics.tracing import server, symptoms
from meshcheck.semantics.tracing.call import Call
from meshcheck.semantics.tracing.caller import CallerView
from meshcheck.semantics.world.revisions import view_of
from meshcheck.semantics.world.sidecars import Sidecar
from meshcheck.semantics.world.world import World

GATEWAY = "gateway"


class Pods(NamedTuple):
    """The gateway's pods, the port on them, and the Service through which the call comes."""

    workload: Workload
    port: int
    service: Service | None
    labels_known: bool = True


def pass_through(call: Call, pods: Pods, config: Config) -> Passed:
    """What the gateway makes of a call."""
    return _Gateway(call._replace(world=view_of(call.world, pods.workload)), pods, config).run()


class _Gateway:
    """One call at one gateway."""

    def __init__(self, call: Call, pods: Pods, config: Config) -> None:
        self.call, self.pods, self.config = call, pods, config
        self.world: World = call.world
        self.workload = pods.workload
        self.peer: Peer = peer_of(call, pods.service)
        notes = pods.workload.pod_annotations.get("proxy.istio.io/config", "")
        self.topology: Topology = (self.world.mesh.pod_topologies or {}).get(notes, self.world.mesh.topology)
        self.stations: list[Station] = []

    def run(self) -> Passed:
        question = self.call.question
        if question.transport != "TCP":
            return unknown((), f"what the gateway makes of {question.transport}: only TCP is followed through gateways")
        self.stations += self._network()
        if end := refused(self.stations):
            return end
        port = self.config.ports.get(self.pods.port)
        if port is None or not (port.plain or port.tls):
            return self._stop(f"no server of a Gateway listens on port {self.pods.port} of {self.workload}", symptoms.REFUSED)
        if not any(self._has_chain(bound) for bound in (*port.plain, *port.tls)):
            first = Mention((*port.plain, *port.tls)[0].gateway.meta, field=(*port.plain, *port.tls)[0].server.field)
            return self._stop(f"no route leads on from port {self.pods.port}, so that nothing listens there", symptoms.REFUSED, first)
        encrypted = question.protocol in ("https", "tls")
        if not encrypted:
            if not port.plain:
                return self._stop(f"the servers on port {self.pods.port} expect TLS, and the call is plaintext", symptoms.RESET)
            return self._plaintext(port)
        if not port.tls:
            return self._stop(f"the server on port {self.pods.port} takes plaintext only, and the call is TLS", symptoms.TLS_FAILURE)
        sni = question.sni if question.sni is not None else (question.host or self.call.what.host).partition(":")[0]
        bound = port.tls_server(sni.lower())
        if bound is None:
            names = ", ".join(dict.fromkeys(h for b in port.tls for h in b.sni_hosts))
            return self._stop(f"no server has the name `{sni}` (SNI); there are: {names}", symptoms.RESET)
        return self._encrypted(bound)

    def _has_chain(self, bound: Bound) -> bool:
        """Whether Envoy gets anything for a server: for HTTP always, for TCP and TLS when a route leads on."""
        if bound.is_plain_http or bound.terminates_http or (bound.server.tls is not None and bound.server.tls.mode == "AUTO_PASSTHROUGH"):
            return True
        return any(has_host(bound, v) and (v.tcp or v.tls) for v in self.config.visible(bound.gateway_name))

    # ---- the connection ----

    def _network(self) -> list[Station]:
        """Network policies between the client and the gateway's pods, and the load balancer's own list."""
        out = []
        service, given = self.pods.service, self.call.question.source_ip or self.call.who.address
        if service is not None and service.source_ranges and self.call.who.workload is None:
            out.append(load_balancer(service, given))
            if out[-1].verdict == DENIED:
                return out
        return out + wire(self.call, self.workload, self.pods.port, service, self.peer.address)

    def _stop(self, why: str, symptom: Symptom, decider: Mention | None = None, name: str = "listener") -> Passed:
        mentions = (decider,) if decider else ()
        station = Station(name, GATEWAY, DENIED, why, mentions, symptom=symptom, decider=decider, workload=str(self.workload))
        return Passed((*self.stations, station), DENIED, symptom)

    def _plaintext(self, port: Port) -> Passed:
        first = port.plain[0]
        if first.is_plain_http:
            if not self.call.question.is_http:
                return unknown(self.stations, f"whether what the caller sends is HTTP: port {first.server.port} of the gateway expects it")
            self._listening(f"{first.server.protocol} on port {first.server.port}", port.plain)
            return self._http(tuple(port.plain), "http")
        self._listening(f"{first.server.protocol} on port {first.server.port}", port.plain[:1])
        return self._tcp(first, "plaintext")

    def _encrypted(self, bound: Bound) -> Passed:
        tls = bound.server.tls
        assert tls is not None
        field = (*bound.server.field, "tls")
        if bound.passes_through:
            self._listening(f"TLS {tls.mode} for {', '.join(bound.sni_hosts)}", [bound])
            if tls.mode == "AUTO_PASSTHROUGH":
                return unknown(self.stations, "where AUTO_PASSTHROUGH sends the call: it is for gateways of other clusters")
            return self._tls(bound)
        lacking = certificate(self.world, self.workload, bound, GATEWAY)
        if lacking is not None and lacking.verdict != ALLOWED:
            return Passed((*self.stations, lacking), lacking.verdict, lacking.symptom, (lacking.missing,) if lacking.missing else ())
        if tls.mode in ("MUTUAL", "OPTIONAL_MUTUAL", "ISTIO_MUTUAL") and tls.mode != "OPTIONAL_MUTUAL":
            mention = Mention(bound.gateway.meta, field=(*field, "mode"))
            fact = f"whether the client has a certificate that {mention.meta.ref} accepts (tls.mode {tls.mode})"
            self.stations.append(
                Station("tls", GATEWAY, UNKNOWN, f"{tls.mode}: a client certificate is asked for", (mention,), missing=fact)
            )
        self._listening(f"{bound.server.protocol} {tls.mode} for {', '.join(bound.sni_hosts)}", [bound])
        if bound.terminates_http:
            return self._http((bound,), "https")
        return self._tcp(bound, "plaintext")

    def _listening(self, summary: str, servers: Sequence[Bound]) -> None:
        if self.call.explain:
            mentions = tuple({b.gateway_name: Mention(b.gateway.meta, field=b.server.field) for b in servers}.values())
            if self.call.who.workload is None:
                summary += f"; client address {self.peer.address}" if self.peer.address else "; client address not known"
            self.stations.append(Station("listener", GATEWAY, ALLOWED, summary, mentions, workload=str(self.workload)))

    # ---- HTTP ----

    def _http(self, servers: tuple[Bound, ...], scheme: str) -> Passed:
        call, question = self.call, self.call.question
        authority = authority_of(question, call.what)
        headers = with_token(question)
        remote = remote_address(self.peer, self.topology, headers, question.source_ip)
        redirecting = any(b.server.tls is not None and b.server.tls.https_redirect for b in servers)
        sees_plaintext = redirecting and self._sees_plaintext(scheme, headers)
        if self.config.mesh:
            headers = seen_headers(headers, self.peer.address, remote, scheme, self.topology.trusted_proxies)
        arriving = server.Arrival(
            transport="tls" if scheme == "https" else "plaintext",
            principal=None,
            http=True,
            encrypted=False,
            tagged=False,
            method=question.method,
            target=question.path,
            authority=authority,
            headers=headers,
            source_ip=self.peer.address,
            remote_ip=remote,
            destination_ip=self.workload.addresses[0] if self.workload.addresses else "",
            sni=question.sni or "",
            claims=question.claims,
            unknown=frozenset(
                ["metadata"]
                + (["source_ip"] if not self.peer.address else [])
                + (["remote_ip"] if not remote else [])
                + (["destination_ip"] if not self.workload.addresses else [])
            ),
            now=call.now,
        )
        attributes = self._filtered(arriving, True)
        if end := refused(self.stations):
            return end
        if (
            scheme == "https"
            and not self.config.mesh
            and (other := misdirected(self.config.ports[self.pods.port], authority, servers[0])) is not None
        ):
            mention = Mention(other.gateway.meta, field=other.server.field)
            why = f"the connection is for listener {servers[0].server.name} (SNI), and host `{authority}` belongs to {other.server.name}"
            return self._stop(why, symptoms.MISDIRECTED, mention, "route")
        routes: Table = self.world.once(
            ("table", self.config.key, self.pods.port, tuple((b.gateway_name, b.server.field) for b in servers)),
            lambda: table(servers, self.config.visible, self.workload),
        )
        _, query = split_target(question.path)
        request = RouteRequest(
            question.method, attributes.path, query, scheme, authority, attributes.headers, servers[0].server.port, "", {}, None,
            attributes.payload,
        )  # fmt: skip
        host = routes.find(authority)
        if host is not None and host.redirects is not None and sees_plaintext:
            return self._redirected(host.redirects, authority, attributes.path + query)
        if host is None:
            hints = Hints(self.world, self.config, self.workload, routes, servers, authority)
            return self._stop(hints.words(), symptoms.NO_ROUTE, hints.nearest(), "route")
        if not self.config.mesh and (fact := not_isolated(host, authority, servers)) is not None:
            return unknown(self.stations, fact)
        picked = pick(host, request)
        if picked.entry is None:
            return self._stop(no_route(host.host, picked), symptoms.NO_ROUTE, self._last_miss(picked), "route")
        return self._routed(picked.entry, request, attributes.headers, query)

    def _filtered(self, arriving: server.Arrival, http: bool) -> Attributes:
        """The filters of the proxy: those of Istio where it is one of Istio's, else only what every proxy makes of a path."""
        if not self.config.mesh:
            stations, attributes = server.plain(self.world, self.pods.port, arriving, http)
        else:
            stations, attributes = server.filters(
                self.world, self.workload, self.pods.port, arriving, http, self.call.explain, gateway=True
            )
        self.stations += [self._as_gateway(station) for station in stations]
        return attributes

    def _as_gateway(self, station: Station) -> Station:
        """The gateway's station; where it hangs on the client's address, the fact is why that is not known here."""
        missing = station.missing
        if missing and not self.peer.address and "address" in missing:
            missing = self.peer.why
        return replace(station, enforcer=GATEWAY, missing=missing)

    def _sees_plaintext(self, scheme: str, headers: Mapping[str, Sequence[str]]) -> bool:
        """What `httpsRedirect` goes by: the connection, or X-Forwarded-Proto where proxies before the gateway are trusted."""
        forwarded = headers.get("x-forwarded-proto", ("",))[0]
        if watching.by is not None and self.topology.trusted_proxies:
            for pattern, found in ((watching.SOME, bool(forwarded)), (watching.Pattern("exact", "https"), forwarded == "https")):
                watching.by.header("x-forwarded-proto", (pattern,), headers.get("x-forwarded-proto"), found)
        return (forwarded if self.topology.trusted_proxies and forwarded else scheme) != "https"

    def _redirected(self, by: Mention, authority: str, target: str) -> Passed:
        """Source: envoyproxy/envoy:source/common/http/utility.cc:createSslRedirectPath."""
        symptom = Symptom("http", 301, "", {"location": f"https://{authority}{target}"})
        station = Station(
            "route", GATEWAY, ALLOWED, "httpsRedirect: 301 to https", (by,), symptom=symptom, decider=by, workload=str(self.workload),
            answers=True,
        )  # fmt: skip
        return Passed((*self.stations, station), ALLOWED, symptom)

    def _last_miss(self, picked: Picked) -> Mention | None:
        return mention_of(picked.misses[-1][0]) if picked.misses else None

    def _routed(self, entry: Entry, request: RouteRequest, headers: Mapping[str, Sequence[str]], query: str) -> Passed:
        """The chosen route: its own answer, fault, CORS, or destinations."""
        route, mention = entry.route, mention_of(entry)
        slow = f" (504 after {route.timeout})" if route.timeout else ""
        name = f"{entry.owner.ref}: route {route.name or route.field[-1]}{slow}"
        aborted: list[Sending] = []
        base = Sending((), None, "plaintext", True, True, request.path + query, request.authority, request.method, None)
        if route.abort_status and route.abort_percentage > 0 and not route.redirect and not route.direct_response:
            symptom = Symptom("http", route.abort_status, "fault filter abort")
            decider = replace(mention, field=(*route.field, "fault", "abort"))
            if route.abort_percentage >= 100:
                return self._stop(f"{name}: fault.abort {route.abort_status}", symptom, decider, "fault")
            station = Station("fault", GATEWAY, DENIED, f"{name}: fault.abort", (decider,), symptom=symptom, decider=decider)
            aborted = [replace(base, stations=(station,))]
        if (fact := unknown_delegate(entry.virtual, route) or route.unclear) is not None:
            return unknown(self.stations, fact)
        self.stations += self._route_filters(entry, request, headers)
        if end := refused(self.stations):
            return end
        own = answers.own_answer(route, entry.match, request)
        if own is not None:
            verdict = DENIED if (own.status or 0) >= 400 else ALLOWED
            station = Station(
                "route", GATEWAY, verdict, f"{name}: {'redirect' if own.headers else 'direct response'} {own.status}", (mention,),
                symptom=own, decider=mention, workload=str(self.workload), answers=verdict == ALLOWED,
            )  # fmt: skip
            return Passed((*self.stations, station), verdict, own)
        if route.cors is not None and watching.by is not None:
            watching.by.header("origin", (watching.ANY,), headers.get("origin"), bool(headers.get("origin")))
        if route.cors is not None and headers.get("origin"):
            by = Mention(entry.owner, field=(*route.field, "corsPolicy") if route.owner is None else route.field)
            said = cors.answer(route.cors, request.method, headers, by)
            if said is not None:
                self.stations.append(replace(said, enforcer=GATEWAY, workload=str(self.workload)))
                if said.answers:
                    return Passed(tuple(self.stations), ALLOWED, said.symptom)
        if self.call.explain:
            self.stations.append(Station("route", GATEWAY, ALLOWED, name, (mention,), decider=mention, workload=str(self.workload)))
        target, authority = answers.rewritten(route, entry.match, request.path, query, request.authority)
        onward = answers.changed_headers(route, sent_on(headers, self.peer.address, self.config.mesh))
        base = replace(base, path=target, authority=authority, headers=onward)
        sendings = self._sender(entry.owner, http=True).to_destinations(base, entry.owner, route.destinations, request.port)
        if not route.destinations:
            return self._stop(f"{name}: it has no destination", symptoms.NO_CLUSTER, mention, "route")
        return self._onward([*aborted, *sendings], True)

    def _route_filters(self, entry: Entry, request: RouteRequest, headers: Mapping[str, Sequence[str]]) -> list[Station]:
        """Filters that a route has of its own: the policies of Envoy Gateway."""
        place = self.config.place(entry.virtual.gateways[0]) if entry.virtual.gateways else None
        if place is None:
            return []
        from meshcheck.semantics.envoy_gateway.filters import Asked, stations_of

        asked = Asked(
            request.method, request.path, request.query, request.authority, headers, self.peer.address,
            self.call.question.claims, self.call.now,
        )  # fmt: skip
        at = place._replace(route=entry.owner, rule=entry.route.name)
        found = stations_of(self.world, at, asked, entry.route.cors is not None)
        return [replace(self._as_gateway(station), workload=str(self.workload)) for station in found]

    def _sender(self, owner: Meta, http: bool) -> Sender:
        """What stands for a destination that does not exist: 503, and 500 where Gateway API asks for it."""
        missing = symptoms.RESET if not http else symptoms.NO_BACKEND if owner.ref.api_version.startswith(GROUP) else symptoms.NO_CLUSTER
        return Sender(self.world, self.call.question, self.workload, "route", GATEWAY, missing, self.config.mesh)

    def _onward(self, sendings: Sequence[Sending], decrypted: bool) -> Passed:
        """The second hop: the gateway's pod calls. `decrypted`: TLS of the client ended here."""
        workload = self.workload
        address = workload.addresses[0] if workload.addresses else ""
        known = Sidecar(True, "a gateway's proxy")
        who = CallerView(
            self.call.who.caller, str(workload), workload, workload.namespace, workload.service_account, known, address, None,
            self.pods.labels_known,
        )  # fmt: skip
        who = who._replace(caller=replace(who.caller, external=False))
        asked = self.call.question
        protocol = {"https": "http", "tls": "tcp"}.get(asked.protocol, asked.protocol) if decrypted else asked.protocol
        question = replace(asked, source_ip=None, protocol=protocol)
        if asked.claims is not None and self.world.request_authentications(workload) and not self._forwards_token():
            question = replace(question, claims=None)
        return Passed(tuple(self.stations), None, None, (), question, who, tuple(sendings))

    def _forwards_token(self) -> bool:
        return all(rule.forward for policy in self.world.request_authentications(self.workload) for rule in policy.rules)

    # ---- TCP and TLS ----

    def _tcp(self, bound: Bound, transport: str) -> Passed:
        found = tcp_route(bound, self.config.visible(bound.gateway_name))
        if found is not None:
            return self._l4(bound, *found, transport)
        return self._stop(
            f"no VirtualService on Gateway {bound.gateway_name} has a TCP route for port {bound.server.port}",
            symptoms.RESET, Mention(bound.gateway.meta, field=bound.server.field), "route",
        )  # fmt: skip

    def _tls(self, bound: Bound) -> Passed:
        question = self.call.question
        sni = (question.sni if question.sni is not None else (question.host or self.call.what.host).partition(":")[0]).lower()
        found = tls_route(bound, self.config.visible(bound.gateway_name), sni)
        if found is not None:
            return self._l4(bound, *found, "tls")
        by = Mention(bound.gateway.meta, field=bound.server.field)
        return self._stop(f"no TLS route has the name `{sni}` (SNI)", symptoms.RESET, by, "route")

    def _l4(self, bound: Bound, owner: Meta, route: L4Route, transport: str) -> Passed:
        call = self.call
        arriving = server.Arrival(
            transport="tls" if transport == "tls" else "plaintext", principal=None, http=False, encrypted=transport == "tls", tagged=False,
            method="", target="", authority="", headers={}, source_ip=self.peer.address, remote_ip=self.peer.address,
            destination_ip=self.workload.addresses[0] if self.workload.addresses else "", sni=call.question.sni or call.what.host,
            claims=None, unknown=frozenset(["metadata", *(["source_ip", "remote_ip"] if not self.peer.address else [])]), now=call.now,
        )  # fmt: skip
        self._filtered(arriving, False)
        if end := refused(self.stations):
            return end
        mention = Mention(owner, field=route.field)
        if call.explain:
            self.stations.append(Station("route", GATEWAY, ALLOWED, f"{owner.ref}", (mention,), decider=mention))
        base = Sending((), None, transport, False, False, "", "", "", call.question.sni)
        sendings = self._sender(owner, http=False).to_destinations(base, owner, route.destinations, bound.server.port)
        return self._onward(sendings, transport != "tls")
