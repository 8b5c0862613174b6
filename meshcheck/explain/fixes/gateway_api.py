"""Gateway API: attachment, listeners, grants, backends, matches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from meshcheck.explain.fixes.case import Candidate, Case, at, change, created, drop, free_name, push, put, single
from meshcheck.explain.fixes.gateways import host_of
from meshcheck.model.gateway_api import GROUP, Gateway, Route
from meshcheck.model.objects import Path
from meshcheck.semantics.gateway_api.attachment import hostnames
from meshcheck.semantics.world.names import nearest


def candidates(case: Case) -> Iterator[Candidate]:
    """Ways to a route for the request, at the gateways of the input or at a Service of the mesh."""
    world, host = case.world, host_of(case)
    found = [route for kind in ("HTTPRoute", "GRPCRoute") for route in world.inventory.of(kind)]
    decider = case.decider
    found.sort(key=lambda route: decider is None or route.meta.ref != decider.ref)
    for route in found[:8]:
        raw = case.raw(route.meta)
        if raw is None:
            continue
        yield from _backends(case, route, raw)
        yield from _matches(case, route, raw)
        if case.station.name == "route":
            yield from _parents(case, route, raw)
            if not route.hostnames or any(host == h or (h.startswith("*.") and host.endswith(h[1:])) for h in route.hostnames):
                for gateway in world.inventory.of("Gateway"):
                    yield from _listeners(case, route, gateway, host)
            elif host:
                words = f"add `{host}` to spec.hostnames of {route.meta.ref}"
                yield single(words, route.meta, push(raw, ("spec", "hostnames"), host), wide=1)


# ---- attachment ----


def _parents(case: Case, route: Route, raw: Mapping[str, Any]) -> Iterator[Candidate]:
    """What a route says of its parents: a listener's name or port that is not there, or no parent that has the host."""
    gateways = {(g.meta.namespace, g.meta.name): g for g in case.world.inventory.of("Gateway")}
    for number, parent in enumerate(route.parents):
        gateway = gateways.get((parent.namespace, parent.name))
        field: Path = ("spec", "parentRefs", number)
        if gateway is None:
            near = nearest(parent.name, [name for _, name in gateways])
            for (namespace, name), _ in gateways.items():
                if name in (near, parent.name):
                    steps = (put(raw, (*field, "name"), name), put(raw, (*field, "namespace"), namespace))
                    words = f"let spec.parentRefs[{number}] of {route.meta.ref} name Gateway {namespace}/{name}, which exists"
                    yield Candidate(words, ((route.meta, steps),))
            continue
        sections = [listener.name for listener in gateway.listeners]
        if parent.section is not None and parent.section not in sections:
            for name in dict.fromkeys([nearest(parent.section, sections), *sections]):
                if name is not None:
                    words = f"write sectionName `{name}` instead of `{parent.section}` in {route.meta.ref}"
                    yield single(words, route.meta, change((*field, "sectionName"), name))
        if parent.section is not None:
            words = f"take sectionName `{parent.section}` out of {route.meta.ref}: all listeners of the Gateway are then meant"
            yield single(words, route.meta, drop((*field, "sectionName")), wide=1)
        if parent.port is not None:
            words = f"take port {parent.port} out of spec.parentRefs[{number}] of {route.meta.ref}"
            yield single(words, route.meta, drop((*field, "port")), wide=1)
    for namespace, name in gateways:
        if not any((p.namespace, p.name) == (namespace, name) for p in route.parents):
            ref = {"name": name, **({"namespace": namespace} if namespace != route.meta.namespace else {})}
            words = f"add Gateway {namespace}/{name} to spec.parentRefs of {route.meta.ref}"
            yield single(words, route.meta, push(raw, ("spec", "parentRefs"), ref))


def _listeners(case: Case, route: Route, gateway: Gateway, host: str) -> Iterator[Candidate]:
    """What a Gateway's listeners admit: the route's namespace, the host."""
    raw = case.raw(gateway.meta)
    if raw is None or not any((p.namespace, p.name) == (gateway.meta.namespace, gateway.meta.name) for p in route.parents):
        return
    namespace = route.meta.namespace
    for number, listener in enumerate(gateway.listeners):
        field = ("spec", "listeners", number)
        if namespace != gateway.meta.namespace and listener.namespaces != "All":
            name = f"allowedRoutes of listener {listener.name} of {gateway.meta.ref}"
            chosen = {"from": "Selector", "selector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}
            if listener.namespaces == "Same":
                expression = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": [gateway.meta.namespace, namespace]}
                chosen = {"from": "Selector", "selector": {"matchExpressions": [expression]}}
            step = put(raw, (*field, "allowedRoutes", "namespaces"), chosen)
            yield single(f"let {name} admit routes of namespace {namespace}", gateway.meta, step)
        if listener.hostname and host and not hostnames(listener.hostname, (host,)):
            new = {**at(raw, field), "name": f"{listener.name}-{host.split('.')[0]}"[:63], "hostname": host}
            words = f"add a listener for `{host}`, as {listener.name} otherwise, to {gateway.meta.ref}"
            yield single(words, gateway.meta, push(raw, ("spec", "listeners"), new))


# ---- rules ----


def _backends(case: Case, route: Route, raw: Mapping[str, Any]) -> Iterator[Candidate]:
    """References to backends: a grant that is missing, a port that the Service has not, no backend at all."""
    world = case.world
    for rule in route.rules:
        for backend in rule.backends:
            if backend.kind != "Service":
                continue
            service = world.service(backend.namespace, backend.name)
            if backend.namespace != route.meta.namespace:
                spec = {
                    "from": [{"group": GROUP, "kind": route.kind, "namespace": route.meta.namespace}],
                    "to": [{"group": "", "kind": "Service", "name": backend.name}],
                }
                name = free_name(world, "ReferenceGrant", backend.namespace, f"{route.meta.namespace}-{route.meta.name}-to-{backend.name}")
                beside = service.meta if service is not None else route.meta
                new = created("ReferenceGrant", f"{GROUP}/v1beta1", backend.namespace, name, spec=spec)
                words = f"add {new[0].ref}: {route.kind}s of {route.meta.namespace} may use Service {backend.name}"
                yield Candidate(words, (new,), 0, beside)
            if service is None:
                near = nearest(backend.name, [s.name for s in world.services_in(backend.namespace)])
                if near is not None:
                    words = f"write Service `{near}` instead of `{backend.name}`, which does not exist, in {route.meta.ref}"
                    yield single(words, route.meta, change((*backend.field, "name"), near))
                continue
            for port in service.ports:
                if port.number != backend.port and all(p.number != backend.port for p in service.ports):
                    words = f"write port {port.number}, which {service.meta.ref} has, instead of {backend.port} in {route.meta.ref}"
                    yield single(words, route.meta, put(raw, (*backend.field, "port"), port.number))
        if not rule.backends and not rule.filters:
            own = world.services_in(route.meta.namespace)
            for service in [s for s in own if s.name == route.meta.name] or own[:3]:
                for port in service.ports[:1]:
                    step = push(raw, (*rule.field, "backendRefs"), {"name": service.name, "port": port.number})
                    words = f"send rule {rule.field[-1]} of {route.meta.ref} to Service {service.name}, port {port.number} (backendRefs)"
                    yield single(words, route.meta, step, wide=1)


def _matches(case: Case, route: Route, raw: Mapping[str, Any]) -> Iterator[Candidate]:
    """One more match for the request in a rule that is there."""
    for rule in route.rules:
        if rule.matches and rule.backends and route.kind == "HTTPRoute":
            new: dict[str, Any] = {"path": {"type": "Exact", "value": case.path}}
            if any("method" in match for match in rule.matches):
                new["method"] = case.question.method
            words = f"let rule {rule.field[-1]} of {route.meta.ref} take {case.path}, too"
            yield single(words, route.meta, push(raw, (*rule.field, "matches"), new), wide=1)
