"""The graph as DOT and Mermaid."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_COLOURS = {"allowed": "#2e7d32", "denied": "#c62828", "some": "#ef6c00", "unknown": "#757575"}


def _spaces(graph: Any) -> Iterator[tuple[str, list[str]]]:
    found: dict[str, list[str]] = {}
    for name in sorted(graph.nodes):
        found.setdefault(graph.nodes[name].get("namespace") or "", []).append(name)
    yield from sorted(found.items())


def _label(data: dict[str, Any]) -> str:
    if "calls" in data:
        return f"{data['calls']} {data['verdict']}"
    parts = [f"{data['service']}:{data['port']}", *data.get("requests", [])[:2]]
    if data["verdict"] == "denied":
        parts.append(data.get("symptom") or "denied")
    return "\n".join(parts)


def dot(graph: Any) -> str:
    """Graphviz' language, a cluster for each namespace."""

    def quoted(text: str) -> str:
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'

    lines = [
        "digraph meshcheck {",
        "  rankdir=LR;",
        '  node [shape=box, style=rounded, fontname="sans-serif"];',
        '  edge [fontname="sans-serif", fontsize=10];',
    ]
    for number, (space, names) in enumerate(_spaces(graph)):
        inner = [f"    {quoted(name)} [label={quoted(name.partition('/')[2] or name)}];" for name in names]
        if space and any(graph.nodes[n].get("kind") != "Namespace" for n in names):
            lines += [f"  subgraph cluster_{number} {{", f"    label={quoted(space)};", *inner, "  }"]
        else:
            lines += inner
    for source, target, data in sorted(graph.edges(data=True), key=lambda e: (e[0], e[1], _label(e[2]))):
        style = "dashed" if data["verdict"] == "denied" else "solid"
        colour = _COLOURS[data["verdict"]]
        lines.append(
            f'  {quoted(source)} -> {quoted(target)} [label={quoted(_label(data))}, color="{colour}", fontcolor="{colour}", style={style}];'
        )
    return "\n".join([*lines, "}"]) + "\n"


def mermaid(graph: Any) -> str:
    """A Mermaid flowchart, a subgraph for each namespace; refused calls are dotted and red."""

    def text(value: str) -> str:
        escaped = value.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;").replace("#", "&#35;")
        return f'"{escaped}"'.replace("\n", "<br/>")

    ids = {name: f"n{number}" for number, name in enumerate(sorted(graph.nodes))}
    lines = ["flowchart LR"]
    for number, (space, names) in enumerate(_spaces(graph)):
        inner = [f"    {ids[name]}[{text(name.partition('/')[2] or name)}]" for name in names]
        if space and any(graph.nodes[n].get("kind") != "Namespace" for n in names):
            lines += [f"  subgraph s{number}[{text(space)}]", *inner, "  end"]
        else:
            lines += inner
    styles = []
    for number, (source, target, data) in enumerate(sorted(graph.edges(data=True), key=lambda e: (e[0], e[1], _label(e[2])))):
        arrow = "-.->" if data["verdict"] == "denied" else "-->"
        lines.append(f"  {ids[source]} {arrow}|{text(_label(data))}| {ids[target]}")
        styles.append(f"  linkStyle {number} stroke:{_COLOURS[data['verdict']]}")
    return "\n".join([*lines, *styles]) + "\n"
