"""The routes of a gateway's server, by host.

Source: istio/istio:pilot/pkg/networking/core/gateway.go:buildGatewayHTTPRouteConfig; route/route.go:SortVHostRoutes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from meshcheck.model.core import Workload
from meshcheck.model.istio_networking import HttpMatch, HttpRoute, VirtualService
from meshcheck.model.objects import Meta
from meshcheck.model.record import NamedTuple
from meshcheck.model.trace import Mention
from meshcheck.semantics import watching
from meshcheck.semantics.gateway.servers import Bound
from meshcheck.semantics.routing.match import RouteRequest, build_failure, first_failure, is_catch_all
from meshcheck.semantics.routing.selection import host_covers


class Entry(NamedTuple):
    """One route of a virtual host: a route's match block."""

    virtual: VirtualService
    route: HttpRoute
    match: HttpMatch | None

    @property
    def owner(self) -> Meta:
        """The object that holds the route."""
        return self.route.owner or self.virtual.meta

    @property
    def catches_all(self) -> bool:
        return self.match is None or is_catch_all(self.match)


class VirtualHost:
    """The routes for one host. `redirects`: plaintext calls are sent to https, by the server named."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.entries: list[Entry] = []
        self.redirects: Mention | None = None
        self.owners: list[VirtualService] = []


class Table(NamedTuple):
    """All virtual hosts of a server."""

    hosts: Mapping[str, VirtualHost]
    hidden: tuple[tuple[VirtualService, str], ...]
    """VirtualServices that name the Gateway and are not used, and why."""

    def find(self, authority: str) -> VirtualHost | None:
        """By Host, without port: exact, then the longest wildcard, then `*`."""
        host = authority.lower()
        host = host[1 : host.index("]")] if host.startswith("[") and "]" in host else host.partition(":")[0]
        if watching.by is not None:
            watching.by.host_chooses(())
        found = self.hosts.get(host)
        at = 0
        while found is None and at < len(host):
            found = self.hosts.get("*" + host[at:])
            at = host.find(".", at + 1)
            if at < 0:
                break
        return found or self.hosts.get("*")


Visible = Callable[[str], Sequence[VirtualService]]
"""The VirtualServices on a Gateway (NAMESPACE/NAME) that the gateway's pods see, in Istio's order."""


def table(servers: Iterable[Bound], visible: Visible, workload: Workload) -> Table:
    """The virtual hosts of servers that share routes."""
    hosts: dict[str, VirtualHost] = {}
    hidden: list[tuple[VirtualService, str]] = []
    for bound in servers:
        tls = bound.server.tls
        redirects = Mention(bound.gateway.meta, field=(*bound.server.field, "tls", "httpsRedirect")) if tls and tls.https_redirect else None
        for virtual in visible(bound.gateway_name):
            names = shared_hosts(bound.server.hosts, virtual)
            if not names:
                hidden.append((virtual, f"none of its hosts ({', '.join(virtual.hosts)}) is one of the server's"))
                continue
            entries = entries_of(virtual, bound, workload)
            if not entries:
                continue
            for name in names:
                host = hosts.setdefault(name, VirtualHost(name))
                host.entries += entries
                host.owners.append(virtual)
                host.redirects = host.redirects or redirects
        if redirects is not None:
            for name in bound.server.hosts:
                host = hosts.setdefault(name, VirtualHost(name))
                host.redirects = host.redirects or redirects
    for host in hosts.values():
        host.entries.sort(key=lambda entry: entry.catches_all)  # stable: the others keep their order
    return Table(hosts, tuple(hidden))


def shared_hosts(declared: tuple[str, ...], virtual: VirtualService) -> list[str]:
    """The narrower of each pair of hosts; the server's part before the slash names the namespace of the VirtualService."""
    out: dict[str, None] = {}
    for text in declared:
        namespace, slash, host = text.rpartition("/")
        if slash and namespace not in ("*", virtual.meta.namespace):
            continue
        for wanted in virtual.hosts:
            wanted = wanted.lower()
            if host_covers(wanted, host):
                out[host] = None
            elif host_covers(host, wanted):
                out[wanted] = None
    return list(out)


_EMPTY: Mapping[str, Sequence[str]] = {}


def entries_of(virtual: VirtualService, bound: Bound, workload: Workload) -> list[Entry]:
    """The routes of one VirtualService for a server; translation stops behind a catch-all."""
    about = RouteRequest(
        "", "", "", "", "", _EMPTY, bound.server.port, bound.gateway_name, workload.pod_labels, workload.namespace
    )  # what is known before a request comes
    out: list[Entry] = []
    for route in virtual.http:
        for match in route.matches or (None,):
            if match is not None and build_failure(match, about) is not None:
                continue
            entry = Entry(virtual, route, match)
            out.append(entry)
            if entry.catches_all:
                return out
    return out


class Picked(NamedTuple):
    """The entry that takes a request; None when no route matches. `misses`: the conditions that earlier ones failed."""

    entry: Entry | None
    misses: tuple[tuple[Entry, str], ...]


def pick(host: VirtualHost, request: RouteRequest) -> Picked:
    """The first entry that matches."""
    misses: list[tuple[Entry, str]] = []
    for entry in host.entries:
        failure = first_failure(entry.match, request) if entry.match is not None else None
        if failure is None:
            return Picked(entry, tuple(misses))
        misses.append((entry, failure))
    return Picked(None, tuple(misses))
