"""Callers that nothing on the way to a target tells apart: one question to each class answers for all of it.

What the trace engine looks at in a caller: its sidecar and what is kept away from it, the configuration of its namespace, its labels
(routes, Sidecars, DestinationRules, network policies), its identity (AuthorizationPolicies of the target), its address. Two callers are
alike when all of that is the same, or asks the same things; where it cannot be told cheaply, each caller is a class of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from meshcheck.model.core import Workload
from meshcheck.model.question import Caller, Question, Target
from meshcheck.semantics.tracing import caller, network, target
from meshcheck.semantics.tracing.server import compiled
from meshcheck.semantics.world import World
from meshcheck.semantics.world.sidecars import sidecar_of

_ROUTING = ("VirtualService", "HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute")
_OF_NAMESPACE = ("DestinationRule", "VirtualService", "Sidecar", "ServiceEntry", "HTTPRoute", "GRPCRoute")
_CAPTURE = ("traffic.sidecar.istio.io/", "sidecar.istio.io/", "proxy.istio.io/")


def caller_of(workload: Workload) -> Caller:
    """A workload as a question names it."""
    return Caller(namespace=workload.namespace, workload=f"{workload.kind}/{workload.name}")


def alike(worlds: Sequence[World], called: Target, workloads: Iterable[Workload]) -> list[tuple[Workload, ...]]:
    """Classes of callers to a target that none of some Worlds tells apart; a workload must be the same one in all of them."""
    classes: dict[Any, list[Workload]] = {}
    for workload in workloads:
        key = tuple(_signature(world, called, workload) for world in worlds)
        classes.setdefault(key, []).append(workload)
    return [tuple(found) for found in classes.values()]


def _signature(world: World, called: Target, one: Workload) -> Any:
    """What the way to the target sees of a caller in one World."""
    here = world.find_workload(one.namespace, f"{one.kind}/{one.name}")
    if here is None:
        return None
    question = Question(caller_of(here), called, headers={})
    who = caller.view(world, question.caller)
    what = target.view(world, question, who.namespace)
    servers = tuple(backend.workload for backend in what.backends if backend.workload is not None)
    own = tuple(sorted((key, text) for key, text in here.pod_annotations.items() if key.startswith(_CAPTURE)))
    seen = (sidecar_of(world, here)[:2], here.host_network, own, here.dns_policy, here in servers)
    if is_routed(world, called) or who.missing or what.missing:
        return (*seen, here.namespace, here.service_account, tuple(sorted(here.pod_labels.items())), here.addresses)
    return (
        *seen,
        here.namespace if here.namespace in _configured(world) else "",
        tuple((key, here.pod_labels.get(key)) for key in _label_keys(world)),
        here.addresses if _addresses_matter(world) else (),
        _identity(world, servers, who.principal(world.mesh.trust_domain)),
        _network(world, question, who, what),
    )


def is_routed(world: World, called: Target) -> bool:
    """Whether routes may lead calls to the target elsewhere."""
    hosts = world.once("hosts of routes", lambda: _routed(world))
    if called.host is None:
        return False
    return "*" in hosts or any(name in hosts for name in (called.host, called.host.split(".")[0]))


def _routed(world: World) -> frozenset[str]:
    """First labels of the hosts of mesh routes, and the hosts themselves; `*` where one stands for many."""
    out: set[str] = set()
    for route in world.inventory.of("VirtualService"):
        for host in route.hosts:
            out |= {"*"} if host.startswith("*") and len(host) < 3 else {host, host.split(".")[0]}
    for kind in _ROUTING[1:]:
        for route in world.inventory.of(kind):
            out |= {parent.name for parent in route.parents if parent.kind in ("Service", "ServiceEntry")}
    return frozenset(out)


def _configured(world: World) -> frozenset[str]:
    """Namespaces that have configuration of their own for calls that leave their pods."""
    return world.once(
        "namespaces with outbound configuration",
        lambda: frozenset(o.meta.namespace for kind in _OF_NAMESPACE for o in world.inventory.of(kind)),
    )


def _label_keys(world: World) -> tuple[str, ...]:
    """Keys of labels of callers that Sidecars and DestinationRules select by."""

    def keys() -> tuple[str, ...]:
        sidecars = (key for o in world.inventory.of("Sidecar") for key in (o.selector or {}))
        rules = (key for o in world.inventory.of("DestinationRule") for key in (o.workload_selector or {}))
        return tuple(sorted({*sidecars, *rules}))

    return world.once("labels of callers", keys)


def _addresses_matter(world: World) -> bool:
    """Whether some policy looks at addresses."""
    from meshcheck.analyse.connections import address_borders

    def look() -> bool:
        fields = (
            field
            for policy in world.inventory.of("AuthorizationPolicy")
            for rule in policy.rules
            for part in (*rule.sources, rule.conditions)
            for field in part
        )
        return len(address_borders(world)) > 1 or any(f.name in ("ipBlocks", "remoteIpBlocks", "source.ip", "remote.ip") for f in fields)

    return world.once("addresses matter", look)


def _identity(world: World, servers: Sequence[Workload], principal: str | None) -> Any:
    """Which tests of identity in the policies of the target the caller passes."""
    out = []
    for server in servers:
        policies = compiled(world, server, True)
        for rule in (*policies.custom, *policies.audit, *policies.deny, *policies.allow, *policies.dry_run):
            for tests in (*rule.sources, rule.conditions):
                out += [principal is not None and any(m(principal) for m in test.matches) for test in tests if test.needs == "principal"]
    return tuple(out)


def _network(world: World, question: Question, who: caller.CallerView, what: target.TargetView) -> Any:
    """What name resolution and network policies say, and who says it."""
    stations = [station for backend in what.backends for station in network.policies(world, question, who, backend, False)]
    name = network.name_resolution(world, question, who, what, False)
    return tuple((s.name, s.verdict, s.decider.meta.ref if s.decider else None, s.missing) for s in (*([name] if name else []), *stations))
