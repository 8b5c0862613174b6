"""Callers that a target cannot tell apart: one of them stands for all.

What a call depends on of its caller: the sidecar and what its namespace and labels make of it, the outcome of the network policies, the
outcome of the tests on its identity, and its address where a rule looks at addresses. All but the sidecar's configuration are asked of
the same functions that the trace engine uses; where that configuration may differ, callers are not put together.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import Any

from meshcheck.analyse.ends import End, Party
from meshcheck.analyse.wires import Wires
from meshcheck.model.core import Workload
from meshcheck.model.istio_networking import EXTENSIONS
from meshcheck.model.question import Question
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.ambient.capture import HBONE_PORT, receives_through
from meshcheck.semantics.ambient.policies import compiled_for
from meshcheck.semantics.ambient.waypoints import may_detour
from meshcheck.semantics.authorization.attributes import Attributes
from meshcheck.semantics.authorization.policies import CompiledRule
from meshcheck.semantics.authorization.tests import Test
from meshcheck.semantics.gateway.pods import is_gateway
from meshcheck.semantics.ingress.controller import is_ingress_nginx
from meshcheck.semantics.tracing import caller, network, proxies
from meshcheck.semantics.tracing import target as targets
from meshcheck.semantics.tracing.caller import CallerView
from meshcheck.semantics.world import World
from meshcheck.semantics.world.revisions import managed, view_of

_ROUTING = ("VirtualService", "DestinationRule", "Sidecar", "ServiceEntry", "HTTPRoute", "GRPCRoute", *EXTENSIONS)


class _Place(NamedTuple):
    """What callers are compared for."""

    end: End
    question: Question
    backends: tuple[targets.Backend, ...]
    tests: tuple[Test, ...]
    by_address: bool


class Alike:
    """Groups the callers of one World."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._views: dict[int, CallerView] = {}
        self._own: dict[tuple[int, bool], int] = {}
        self._numbers: dict[Hashable, int] = {}
        self._outcomes: dict[tuple[str, Hashable], Hashable] = {}
        self._namespaces = _telling_namespaces(world)
        self._by_labels = bool(world.inventory.of("Sidecar")) or any(
            match.source_labels for v in world.inventory.of("VirtualService") for route in v.http for match in route.matches
        )
        self._wires = Wires(world) if network.has_policies(world) else None
        self._asked: dict[tuple[object, ...], Hashable] = {}

    def groups(self, parties: Iterable[Party], end: End, question: Question) -> list[list[Party]]:
        """Callers that fare alike at a place that can be called; `question` is any call there."""
        found: dict[Hashable, list[Party]] = {}
        for party, key in self.keys(parties, end, question):
            found.setdefault(key, []).append(party)
        return list(found.values())

    def keys(self, parties: Iterable[Party], end: End, question: Question) -> Iterator[tuple[Party, Hashable]]:
        """Each caller with a key that is equal for those that fare alike, and means nothing in another World."""
        if any(is_gateway(w) or is_ingress_nginx(w) for w in end.workloads) or self.is_routed(end) or self._detours(end):
            yield from ((party, id(party)) for party in parties)
            return
        tests, by_address = self._tests(end)
        what = targets.view(self.world, question, None)
        place = _Place(end, question, what.backends, tests, by_address)
        for party in parties:
            yield party, id(party) if party.workload is None else self._key(party, party.workload, place)

    def _detours(self, end: End) -> bool:
        """Whether a waypoint is asked for on the way."""
        return any(may_detour(self.world, self.world.services_of(w), (w,)) for w in end.workloads)

    def is_routed(self, end: End) -> bool:
        """Whether routes of the mesh may lead a call to another place than the one that is called."""
        if end.direct:
            return False
        if self.world.inventory.of("HTTPRoute") or self.world.inventory.of("GRPCRoute"):
            return True
        own = (end.target.host or "").split(".")[0]
        routed: frozenset[str] = self.world.once("names with routes of the mesh", lambda: _routed_names(self.world))
        return "*" in routed or own in routed

    def _key(self, party: Party, workload: Workload, place: _Place) -> Hashable:
        own = self._own_of(party, workload, place.question)
        near = any(w.namespace == workload.namespace for w in place.end.workloads)
        itself = any(w is workload for w in place.end.workloads)
        wires = tuple(self._wire(party, workload, place.question, backend) for backend in place.backends) if self._wires else ()
        addresses = workload.addresses if place.by_address or itself else ()
        return own, near, itself, self._identity(workload, place.tests), wires, addresses

    def _wire(self, party: Party, workload: Workload, question: Question, backend: targets.Backend) -> Hashable:
        """What network policies make of a call; the same for a Service and for the pod behind it."""
        assert self._wires is not None
        found = self._wires.key(workload, backend.workload) if backend.workload is not None else None
        if found is not None:
            return found
        if self._wires.looks_inside:
            return "alone", id(workload)
        key = (id(workload), id(backend.workload), backend.address, backend.port, question.transport)
        if key not in self._asked:
            view, captured = self._view(party, workload), backend.workload is not None and receives_through(self.world, backend.workload)
            stations = [
                station
                for port in ((backend.port, HBONE_PORT) if captured else (backend.port,))
                for station in network.policies(self.world, question, view, backend, False, port)
            ]
            self._asked[key] = tuple((s.verdict, s.missing, s.wire) for s in stations)
        return self._asked[key]

    def _view(self, party: Party, workload: Workload) -> CallerView:
        if id(workload) not in self._views:
            self._views[id(workload)] = caller.view(self.world, party.caller)
        return self._views[id(workload)]

    def _own_of(self, party: Party, workload: Workload, question: Question) -> int:
        """What depends on the caller alone, as a number."""
        by_name = question.target.host is not None
        if (id(workload), by_name) not in self._own:
            who = self._view(party, workload)
            telling = self._namespaces is None or workload.namespace in self._namespaces
            named = targets.view(self.world, question, workload.namespace)
            dns = network.name_resolution(self.world, question, who, named, False) if by_name else None
            own = (
                who.sidecar.present,
                who.sidecar.ambient,
                workload.namespace if telling else "",
                who.sidecar.shared,
                managed(self.world, workload) if self.world.revisions.divided else None,
                tuple(sorted(workload.pod_labels.items())) if self._by_labels else (),
                workload.host_network and workload.node,
                tuple(sorted((k, v) for k, v in workload.pod_annotations.items() if k.startswith("traffic.sidecar.istio.io/"))),
                (dns.verdict, dns.missing) if dns is not None else None,
            )
            self._own[id(workload), by_name] = self._numbers.setdefault(own, len(self._numbers))
        return self._own[id(workload), by_name]

    def _identity(self, workload: Workload, tests: tuple[Test, ...]) -> Hashable:
        """What the tests at a target make of the caller's identity."""
        if not tests:
            return ()
        a = Attributes()
        a.principal = f"spiffe://{view_of(self.world, workload).mesh.trust_domain}/ns/{workload.namespace}/sa/{workload.service_account}"
        key = (a.principal, tests)
        if key not in self._outcomes:
            self._outcomes[key] = tuple(test.holds(a) for test in tests)
        return self._outcomes[key]

    def _tests(self, end: End) -> tuple[tuple[Test, ...], bool]:
        """Tests on identities at the target, and whether there are any on addresses."""
        key = ("tests on callers", *map(id, end.workloads))
        found: tuple[tuple[Test, ...], bool] = self.world.once(key, lambda: self._find_tests(end))
        return found

    def _find_tests(self, end: End) -> tuple[tuple[Test, ...], bool]:
        tests: dict[Any, Test] = {}
        by_address = False
        for workload in end.workloads:
            for http in (True, False):
                compiled = proxies.compiled(self.world, workload, http)
                if receives_through(self.world, workload):
                    compiled = compiled_for(self.world, workload)
                for rule in (*compiled.custom, *compiled.deny, *compiled.allow):
                    for test in _tests_of(rule):
                        by_address = by_address or test.attribute in ("source_ip", "remote_ip")
                        if test.attribute == "principal":
                            tests.setdefault((test.field.name, test.field.values, test.field.negated, rule.policy.meta.namespace), test)
        return tuple(tests.values()), by_address


def _routed_names(world: World) -> frozenset[str]:
    """First labels of the hosts for which a VirtualService may choose another destination; `*` for any."""
    out: set[str] = set()
    for virtual in world.inventory.of("VirtualService"):
        if "mesh" in virtual.gateways:
            out.update("*" if host.startswith("*") else host.split(".")[0] for host in virtual.hosts)
    return frozenset(out)


def _tests_of(rule: CompiledRule) -> Iterable[Test]:
    return (*(t for group in (*rule.sources, *rule.operations) for t in group), *rule.conditions)


def _telling_namespaces(world: World) -> frozenset[str] | None:
    """Namespaces in which a caller's sidecar may be configured otherwise than elsewhere; None for all."""
    out = set()
    if (
        not world.complete("VirtualService", "DestinationRule", "Sidecar", "AuthorizationPolicy", "NetworkPolicy")
        and world.inventory.coverage
    ):
        return None
    for kind in _ROUTING:
        for item in world.inventory.of(kind):
            if kind == "VirtualService" and "mesh" not in item.gateways:
                continue
            if any(name not in ("*", ".") for name in getattr(item, "export_to", ())):
                return None
            routes = getattr(item, "http", ())
            if any(match.source_namespace for route in routes for match in getattr(route, "matches", ())):
                return None
            out.add(item.meta.namespace)
    for service in world.services:
        if any(name not in ("*", ".") for name in getattr(service, "export_to", ())):
            return None
    return frozenset(out)
