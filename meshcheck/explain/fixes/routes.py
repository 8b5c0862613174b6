"""Routes, of the mesh and of gateways: faults, answers, matches, subsets, destinations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from meshcheck.explain.fixes.case import Candidate, Case, at, change, drop, push, put, single
from meshcheck.explain.fixes.services import called_service
from meshcheck.model.core import Service
from meshcheck.model.objects import Meta, Path
from meshcheck.semantics.attachment import selects
from meshcheck.semantics.routing.selection import full_name, host_covers
from meshcheck.semantics.world.hosts import look_up
from meshcheck.semantics.world.names import nearest


def candidates(case: Case) -> Iterator[Candidate]:
    """Ways past what a VirtualService makes of the call."""
    decider = case.station.decider
    meta = case.decider
    raw = case.raw(meta)
    if meta is None or raw is None or decider is None:
        return
    if meta.ref.kind == "VirtualService":
        route = decider.field[:3] if len(decider.field) >= 3 else None
        if route is not None and at(raw, route) is not None:
            yield from _of_route(case, meta, raw, route)
            yield from _of_destination(case, meta, raw, decider.field)
        yield from more_matches(case, meta, raw)


def _of_route(case: Case, meta: Meta, raw: Mapping[str, Any], route: Path) -> Iterator[Candidate]:
    """An injected fault goes; an answer of the proxy gives way to the Service."""
    name = f"{route[1]} route {route[2]} of {meta.ref}"
    if at(raw, (*route, "fault", "abort")) is not None:
        alone = len(at(raw, (*route, "fault"))) == 1
        field = (*route, "fault") if alone else (*route, "fault", "abort")
        yield Candidate(f"take the injected fault ({'.'.join(map(str, field[3:]))}) out of {name}", ((meta, (drop(field),)),), 1)
    if at(raw, (*route, "directResponse")) is not None and (service := called_service(case)) is not None:
        steps = (drop((*route, "directResponse")), put(raw, (*route, "route"), [{"destination": {"host": service.host}}]))
        words = f"send the call on to {service.host} instead of answering it (directResponse) in {name}"
        yield Candidate(words, ((meta, steps),), 1)


# ---- where a route leads ----


def _of_destination(case: Case, meta: Meta, raw: Mapping[str, Any], field: Path) -> Iterator[Candidate]:
    """The host, port or subset of a destination."""
    destination = at(raw, field) if field[-1:] == ("destination",) else at(raw, (*field, "destination"))
    path = field if field[-1:] == ("destination",) else (*field, "destination")
    if not isinstance(destination, dict) or not isinstance(destination.get("host"), str):
        return
    host = full_name(destination["host"], meta.namespace)
    service = look_up(case.world, host, meta.namespace).service
    name = f"the route of {meta.ref}"
    if service is None:
        short = destination["host"].split(".")[0]
        same = [s for s in case.world.services if s.name == short]
        near = nearest(short, [s.name for s in case.world.services_in(meta.namespace)])
        found = same or [s for s in case.world.services_in(meta.namespace) if s.name == near]
        for other in found[:4]:
            step = change((*path, "host"), other.host)
            yield single(f"write `{other.host}` instead of `{destination['host']}` in {name}", meta, step)
        return
    number = at(destination, ("port", "number"))
    for port in service.ports:
        if number is not None and port.number != number and port.protocol == "TCP":
            step = change((*path, "port", "number"), port.number)
            yield single(f"write port {port.number}, which {service.meta.ref} has, instead of {number} in {name}", meta, step)
    if isinstance(destination.get("subset"), str):
        yield from _of_subset(case, meta, path, service, destination["subset"])


def _of_subset(case: Case, meta: Meta, path: Path, service: Service, subset: str) -> Iterator[Candidate]:
    """The subset that a route names: another of the same rule, defined in the rule that the caller sees, or none."""
    rules = [r for r in case.world.inventory.of("DestinationRule") if host_covers(full_name(r.host, r.meta.namespace), service.host)]
    known = [s.name for rule in rules for s in rule.subsets]
    others = [n for n in dict.fromkeys([nearest(subset, known), *known]) if n and n != subset]
    pods = case.world.pods_of(service)
    for rule in rules:
        raw = case.raw(rule.meta)
        if raw is None:
            continue
        for pod in pods:
            labels = {key: value for key, value in pod.pod_labels.items() if value == subset and key in ("version", "track", "subset")}
            written = next((n for n, s in enumerate(at(raw, ("spec", "subsets")) or ()) if s.get("name") == subset), None)
            if not labels:
                continue
            if written is None:
                step = push(raw, ("spec", "subsets"), {"name": subset, "labels": labels})
                shown = ", ".join(f"{key}={value}" for key, value in labels.items())
                yield single(f"define subset {subset} ({shown}) in {rule.meta.ref}", rule.meta, step)
            elif not any(selects(at(raw, ("spec", "subsets", written, "labels")), p.pod_labels) for p in pods):
                step = put(raw, ("spec", "subsets", written, "labels"), labels)
                yield single(f"let subset {subset} of {rule.meta.ref} select pods that there are", rule.meta, step)
        for elsewhere in rules:
            defined = next((s for s in at(case.raw(elsewhere.meta), ("spec", "subsets")) or () if s.get("name") == subset), None)
            if elsewhere is not rule and defined is not None:
                step = push(raw, ("spec", "subsets"), defined)
                words = f"define subset {subset} in {rule.meta.ref}, which hides the one of {elsewhere.meta.ref}"
                yield single(words, rule.meta, step)
    for name in others:
        step = change((*path, "subset"), name)
        yield single(f"write subset `{name}` instead of `{subset}` in the route of {meta.ref}", meta, step)
    yield Candidate(
        f"take subset `{subset}` out of the route of {meta.ref}: it then leads to all pods", ((meta, (drop((*path, "subset")),)),), 1
    )


# ---- what a route takes ----


def more_matches(case: Case, meta: Meta, raw: Mapping[str, Any]) -> Iterator[Candidate]:
    """One more match for the call in a route that is there, or a route of its own to the Service that is called."""
    path = case.path
    routes = at(raw, ("spec", "http")) or ()
    for number, route in enumerate(routes):
        if not isinstance(route, dict) or not route.get("match"):
            continue
        field = ("spec", "http", number, "match")
        if route.get("delegate"):
            prefix = "/" + path.split("/")[1]
            step = push(raw, field, {"uri": {"prefix": prefix}})
            yield single(f"let http route {number} of {meta.ref} take {prefix}, too, for its delegate", meta, step, wide=1)
            continue
        if route.get("route"):
            gateways = route["match"][0].get("gateways") if isinstance(route["match"][0], dict) else None
            new = {"uri": {"exact": path}, **({"gateways": gateways} if gateways else {})}
            yield single(f"let http route {number} of {meta.ref} take {path}, too", meta, push(raw, field, new), wide=1)
            for n, match in enumerate(route["match"]):
                yield from _looser(case, meta, raw, (*field, n), match)
    service = called_service(case)
    if service is not None and routes and not any(isinstance(r, dict) and r.get("delegate") for r in routes):
        new = {"route": [{"destination": {"host": service.host}}]}
        words = f"add a route for all other requests to {service.host} to {meta.ref}"
        yield single(words, meta, push(raw, ("spec", "http"), new), wide=1)


def _looser(case: Case, meta: Meta, raw: Mapping[str, Any], field: Path, match: Any) -> Iterator[Candidate]:
    """The condition of a match that the call fails."""
    if not isinstance(match, dict):
        return
    name = f"http route {field[2]} of {meta.ref}"
    method = at(match, ("method", "exact"))
    if method is not None and method != case.question.method:
        more = {**match, "method": {"exact": case.question.method}}
        yield single(f"let {name} take {case.question.method}, too", meta, push(raw, field[:-1], more), wide=1)
    for header in match.get("headers") or ():
        others = {key: value for key, value in match["headers"].items() if key != header}
        more = {key: value for key, value in match.items() if key != "headers"} | ({"headers": others} if others else {})
        if more:
            yield single(f"let {name} take requests without header {header}, too", meta, push(raw, field[:-1], more), wide=1)


def removed_headers(case: Case) -> Iterator[Candidate]:
    """A header that a route takes away, and that a rule behind it wants."""
    wanted = {part for reason in case.station.reasons for part in _headers(reason)}
    for station in case.stations:
        for mention in station.policies:
            raw = case.raw(mention.meta)
            if mention.meta.ref.kind != "VirtualService" or raw is None or not mention.field:
                continue
            field = (*mention.field[:3], "headers", "request", "remove")
            for number, name in enumerate(at(raw, field) or ()):
                if str(name).lower() in wanted:
                    listed = at(raw, field)
                    gone = field if len(listed) > 1 else field[:-1]
                    path = (*field, number) if len(listed) > 1 else gone
                    yield single(f"let {mention.meta.ref} pass the header {name} on", mention.meta, drop(path))


def _headers(reason: Any) -> Iterator[str]:
    for part in (reason, *reason.parts):
        if part is not reason:
            yield from _headers(part)
        elif "request.headers[" in part.text:
            yield part.text.partition("[")[2].partition("]")[0].lower()
