"""Namespaces as nodes, so that a thousand services stay readable."""

from __future__ import annotations

from typing import Any

import networkx as nx

MOST_WORKLOADS = 40


def by_namespace(graph: Any) -> Any:
    """One node for each namespace, with the number of its workloads; edges count the calls between them by verdict."""
    out = nx.MultiDiGraph(name="meshcheck by namespace")
    for name, data in graph.nodes(data=True):
        space = data["namespace"] or name
        if space not in out:
            out.add_node(space, namespace=space, kind="Namespace", workloads=0)
        out.nodes[space]["workloads"] += 1
    counts: dict[tuple[str, str, str], int] = {}
    for source, target, data in graph.edges(data=True):
        key = graph.nodes[source]["namespace"] or source, graph.nodes[target]["namespace"] or target, data["verdict"]
        counts[key] = counts.get(key, 0) + 1
    for (source, target, verdict), count in counts.items():
        out.add_edge(source, target, key=verdict, verdict=verdict, calls=count)
    return out


def to_json(graph: Any) -> dict[str, Any]:
    """networkx' node-link form."""
    data: dict[str, Any] = nx.node_link_data(graph, edges="links")
    return {"schema": "meshcheck/graph/v1", **data}


def to_graphml(graph: Any) -> str:
    """GraphML; lists become text, since GraphML knows none."""
    flat = nx.MultiDiGraph(**{key: str(value) for key, value in graph.graph.items()})
    for name, data in graph.nodes(data=True):
        flat.add_node(name, **data)
    for source, target, key, data in graph.edges(data=True, keys=True):
        flat.add_edge(source, target, key=key, **{k: ", ".join(v) if isinstance(v, list) else v for k, v in data.items()})
    return "\n".join(nx.generate_graphml(flat)) + "\n"
