"""The graph: workloads and the outside as nodes, calls as edges."""

from __future__ import annotations

from typing import Any

import networkx as nx

from meshcheck.graph.calls import ANY, Call, calls, in_focus
from meshcheck.graph.exposed import Exposed, exposed
from meshcheck.semantics.world import World
from meshcheck.semantics.world.sidecars import sidecar_of


def build(world: World, focus: frozenset[str] = frozenset(), verdicts: frozenset[str] = frozenset()) -> Any:
    """A `networkx.MultiDiGraph`. Nodes: `namespace`, `kind`, `service_account`, `sidecar`. Edges: the fields of `Call`."""
    graph = nx.MultiDiGraph(name="meshcheck")
    for workload in world.workloads:
        if not focus or str(workload) in focus or workload.namespace in focus:
            side = {True: "yes", False: "no", None: "unknown"}[sidecar_of(world, workload).present]
            graph.add_node(
                str(workload), namespace=workload.namespace, kind=workload.kind, service_account=workload.service_account, sidecar=side
            )
    for call in calls(world, focus):
        if not verdicts or call.verdict in verdicts:
            _add(graph, world, call)
    for row in exposed(world):
        if not verdicts or row.verdict in verdicts:
            _add_way(graph, world, row, focus)
    return graph


OUTSIDE = "outside"


def _add_way(graph: Any, world: World, row: Exposed, focus: frozenset[str]) -> None:
    """A way from outside: to the gateway (or the Service), and on to the workload."""
    entry = row.way.entry
    target, _, port = row.reaches.partition(":")
    if not (in_focus(entry, focus) or (target and in_focus(target, focus))):
        return
    number = row.way.question.target.port if row.way.question is not None else None
    guards = tuple(what for _, what in row.guards)
    base = Call(OUTSIDE, entry, row.way.address, number or 0, number or 0, "", row.verdict, row.said, (row.way.path,), guards, False)
    _add(graph, world, base)
    if target and world.find_workload(*_split(entry)) is None:  # a workload's own calls are edges already
        _add(graph, world, base._replace(source=entry, target=target, port=int(port or 0), target_port=int(port or 0)))


def _split(name: str) -> tuple[str, str]:
    namespace, _, rest = name.partition("/")
    return namespace, rest


def _add(graph: Any, world: World, call: Call) -> None:
    for name in (call.source, call.target):
        if name not in graph:
            namespace = name.partition("/")[0] if "/" in name else ""
            found = world.find_workload(namespace, name.partition("/")[2]) if namespace else None
            kind = found.kind if found else "Any" if name == ANY else "Outside" if name == OUTSIDE else name.partition(" ")[0]
            graph.add_node(name, namespace=namespace, kind=kind, service_account=found.service_account if found else "", sidecar="")
    graph.add_edge(
        call.source,
        call.target,
        key=f"{call.service} {' '.join(call.requests)}" if "://" in call.service else f"{call.service}:{call.port}",
        service=call.service,
        port=call.port,
        target_port=call.target_port,
        protocol=call.protocol,
        verdict=call.verdict,
        symptom=call.symptom,
        requests=list(call.requests),
        policies=list(call.policies),
        mtls=call.mtls,
    )
