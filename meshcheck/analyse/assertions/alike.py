"""Callers that a target cannot tell apart: one of them stands for all.

What a call depends on of its caller: the sidecar and what its namespace and labels make of it, the outcome of the network policies, the
outcome of the tests on its identity, and its address where a rule looks at addresses. All but the sidecar's configuration are asked of
the same functions that the trace engine uses; where that configuration may differ, callers are not put together.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any, NamedTuple

from meshcheck.analyse.assertions.select import End, Party
from meshcheck.model.core import Workload
from meshcheck.model.question import Question
from meshcheck.semantics.authorization.attributes import Attributes
from meshcheck.semantics.authorization.policies import CompiledRule
from meshcheck.semantics.authorization.tests import Test
from meshcheck.semantics.gateway.pods import is_gateway
from meshcheck.semantics.ingress.controller import is_ingress_nginx
from meshcheck.semantics.tracing import caller, network, server
from meshcheck.semantics.tracing import target as targets
from meshcheck.semantics.tracing.caller import CallerView
from meshcheck.semantics.world import World

_ROUTING = ("VirtualService", "DestinationRule", "Sidecar", "ServiceEntry", "HTTPRoute", "GRPCRoute", "EnvoyFilter", "WasmPlugin")


class _Asked(NamedTuple):
    """What callers are compared for."""

    end: End
    question: Question
    what: targets.TargetView
    tests: tuple[Test, ...]
    by_address: bool


class Alike:
    """Groups the callers of one World."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._own: dict[int, tuple[CallerView, Hashable]] = {}
        self._namespaces = _telling_namespaces(world)
        self._by_labels = bool(world.inventory.of("Sidecar")) or any(
            match.source_labels for v in world.inventory.of("VirtualService") for route in v.http for match in route.matches
        )
        self._policies = network.has_policies(world)
        self._wires: dict[tuple[object, ...], Hashable] = {}

    def groups(self, parties: Iterable[Party], end: End, question: Question) -> list[list[Party]]:
        """Callers that fare alike at a place that can be called; `question` is any call there."""
        if any(is_gateway(w) or is_ingress_nginx(w) for w in end.workloads):
            return [[party] for party in parties]
        tests, by_address = self._tests(end)
        what = targets.view(self.world, question, None)
        found: dict[Hashable, list[Party]] = {}
        for party in parties:
            asked = _Asked(end, question, what, tests, by_address)
            key: Hashable = id(party) if party.workload is None else self._key(party, party.workload, asked)
            found.setdefault(key, []).append(party)
        return list(found.values())

    def _key(self, party: Party, workload: Workload, asked: _Asked) -> Hashable:
        end, question, what, tests, by_address = asked
        who, own = self._of(party, workload, question)
        near = workload.namespace in {w.namespace for w in end.workloads}
        itself = any(w is workload for w in end.workloads)
        outcomes = self._outcomes(workload, tests)
        wire = tuple(self._wire(who, workload, question, backend) for backend in what.backends) if self._policies else ()
        return own, near, itself, outcomes, wire, workload.addresses if by_address or itself else ()

    def _wire(self, who: CallerView, workload: Workload, question: Question, backend: targets.Backend) -> Hashable:
        """What network policies make of a call; the same for a Service and for the pod behind it."""
        key = (id(workload), id(backend.workload), backend.address, backend.port, question.transport)
        if key not in self._wires:
            stations = network.policies(self.world, question, who, backend, False)
            self._wires[key] = tuple((s.verdict, s.missing, s.decider.meta.ref if s.decider else None) for s in stations)
        return self._wires[key]

    def _of(self, party: Party, workload: Workload, question: Question) -> tuple[CallerView, Hashable]:
        """What depends on the caller alone."""
        if id(workload) not in self._own:
            who = caller.view(self.world, party.caller)
            notes = tuple(sorted((k, v) for k, v in workload.pod_annotations.items() if k.startswith("traffic.sidecar.istio.io/")))
            telling = self._namespaces is None or workload.namespace in self._namespaces
            named = targets.view(self.world, question, workload.namespace)
            dns = network.name_resolution(self.world, question, who, named, False) if question.target.host else None
            own = (
                who.sidecar.present,
                who.sidecar.ambient,
                workload.namespace if telling or who.sidecar.present is None else "",
                tuple(sorted(workload.pod_labels.items())) if self._by_labels else (),
                workload.host_network,
                notes,
                (dns.verdict, dns.missing) if dns is not None else None,
            )
            self._own[id(workload)] = who, own
        return self._own[id(workload)]

    def _outcomes(self, workload: Workload, tests: tuple[Test, ...]) -> Hashable:
        a = Attributes()
        a.principal = f"spiffe://{self.world.mesh.trust_domain}/ns/{workload.namespace}/sa/{workload.service_account}"
        return tuple(test.holds(a) for test in tests)

    def _tests(self, end: End) -> tuple[tuple[Test, ...], bool]:
        """Tests on identities at the target, and whether there are any on addresses."""
        tests: dict[Any, Test] = {}
        by_address = False
        for workload in end.workloads:
            for http in (True, False):
                found = server.compiled(self.world, workload, http)
                for rule in (*found.custom, *found.deny, *found.allow):
                    for test in _tests_of(rule):
                        by_address = by_address or test.attribute in ("source_ip", "remote_ip")
                        if test.attribute == "principal":
                            tests.setdefault((test.field.name, test.field.values, test.field.negated, rule.policy.meta.namespace), test)
        return tuple(tests.values()), by_address


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
