"""The graph: workloads and the outside as nodes, calls as edges."""

from __future__ import annotations

from typing import Any

import networkx as nx

from meshcheck.graph.calls import ANY, Call, calls
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
    return graph


def _add(graph: Any, world: World, call: Call) -> None:
    for name in (call.source, call.target):
        if name not in graph:
            namespace = name.partition("/")[0] if "/" in name else ""
            found = world.find_workload(namespace, name.partition("/")[2]) if namespace else None
            kind = found.kind if found else "Any" if name == ANY else "Outside"
            graph.add_node(name, namespace=namespace, kind=kind, service_account=found.service_account if found else "", sidecar="")
    graph.add_edge(
        call.source,
        call.target,
        key=f"{call.service}:{call.port}",
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
