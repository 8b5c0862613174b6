"""Which VirtualService holds a host at a sidecar, and which of its routes takes a request.

Sources: istio/istio:pilot/pkg/model/push_context.go, virtualservice.go; pilot/pkg/networking/core/httproute.go.
"""

from __future__ import annotations

from collections.abc import Iterable

from meshcheck.model.istio_networking import HttpMatch, HttpRoute, VirtualService
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.routing.match import RouteRequest, build_failure, first_failure


def full_name(host: str, namespace: str) -> str:
    """A host as the mesh knows it: a short name belongs to the namespace of the object that writes it."""
    return host.lower() if "." in host or host.startswith("*") else f"{host.lower()}.{namespace}.svc.cluster.local"


def is_exported(export_to: tuple[str, ...], own: str, to: str) -> bool:
    """Whether an object of namespace `own` is visible in namespace `to`; by default it is everywhere."""
    return not export_to or "*" in export_to or to in export_to or (own == to and "." in export_to)


def host_covers(declared: str, host: str) -> bool:
    """Whether a declared host, maybe with a leading star, covers a host. `*.a.com` does not cover `a.com`."""
    if declared == "*" or declared == host:
        return True
    return declared.startswith("*") and host.endswith(declared[1:]) and len(host) >= len(declared)


def exactness(declared: str) -> tuple[bool, int]:
    """The more exact host is the greater one: without a star, then the longer."""
    return bool(declared) and not declared.startswith("*"), len(declared)


def age(service: VirtualService) -> tuple[str, str, str]:
    """Oldest first; without time stamps by name."""
    return service.meta.created or "9999", service.meta.name, service.meta.namespace


def for_sidecar(services: Iterable[VirtualService], host: str, client_namespace: str, by_default: tuple[str, ...]) -> VirtualService | None:
    """The VirtualService that holds a host at a client's sidecar: the most specific host; private, exported, public; by age.

    `by_default`: mesh config's default for `exportTo`.
    """
    best: tuple[tuple[int, int, tuple[str, str, str]], VirtualService] | None = None
    for service in services:
        own = service.meta.namespace
        export_to = service.export_to or by_default
        if "mesh" not in service.gateways or not is_exported(export_to, own, client_namespace):
            continue
        covered = [len(declared) for h in service.hosts if host_covers(declared := full_name(h, own), host)]
        if not covered:
            continue
        rank = 0 if export_to in ((".",), (own,)) else 1 if export_to and "*" not in export_to else 2
        key = (-max(covered), rank, age(service))
        if best is None or key < best[0]:
            best = key, service
    return best[1] if best else None


class Chosen(NamedTuple):
    """The route that takes a request, the block that matched, and why earlier ones did not."""

    route: HttpRoute | None
    match: HttpMatch | None
    misses: tuple[tuple[HttpMatch, str], ...]
    usable: bool
    """Whether any route is meant for this client and port at all; if not, the VirtualService does not exist for it."""


def choose(routes: Iterable[HttpRoute], request: RouteRequest) -> Chosen:
    """The first route with a matching block; translation stops behind a catch-all."""
    misses: list[tuple[HttpMatch, str]] = []
    usable = False
    for route in routes:
        if not route.matches:
            return Chosen(route, None, tuple(misses), True)
        for match in route.matches:
            other = build_failure(match, request)
            if other is not None:
                misses.append((match, other))
                continue
            usable = True
            failure = first_failure(match, request)
            if failure is None:
                return Chosen(route, match, tuple(misses), True)
            misses.append((match, failure))
    return Chosen(None, None, tuple(misses), usable)
