"""The graph for a terminal: who calls a workload, port by port."""

from __future__ import annotations

from typing import Any

from meshcheck.render.style import Style

_SIGNS = {"allowed": "✓", "denied": "✗", "some": "◐", "unknown": "?"}


def graph_text(graph: Any, style: Style) -> str:
    """One block for each called node, sorted by name; callers that fare alike share a line."""
    paint = {"allowed": style.green, "denied": style.red, "some": style.yellow, "unknown": style.yellow}
    lines: list[str] = []
    for target in sorted(graph.nodes):
        incoming = sorted(graph.in_edges(target, data=True), key=lambda e: (e[2].get("port", 0), e[2]["verdict"], e[0]))
        if not incoming:
            continue
        lines.append(style.bold(target))
        rows: dict[tuple[str, str, str], list[str]] = {}
        for source, _, data in incoming:
            where = place_of(data) if "port" in data else f"{data['calls']} call{'s' if data['calls'] != 1 else ''}"
            rows.setdefault((where, data["verdict"], _detail(data)), []).append(source)
        for (where, verdict, detail), sources in rows.items():
            shown = ", ".join(sources[:8]) + (f" and {len(sources) - 8} more" if len(sources) > 8 else "")
            lines.append(f"  {paint[verdict](_SIGNS[verdict])} {where:<16} ← {shown}{style.dim(detail)}")
        lines.append("")
    quiet = sorted(name for name in graph.nodes if graph.degree(name) == 0)
    if quiet:
        lines.append(style.dim(f"no calls: {', '.join(quiet[:20])}" + (f" and {len(quiet) - 20} more" if len(quiet) > 20 else "")))
    if not graph.nodes:
        lines.append("no calls: the input holds no workloads")
    lines.append(style.dim("✓ allowed   ◐ some requests   ✗ denied   ? unknown; `meshcheck trace` says why"))
    return "\n".join(lines) + "\n"


def place_of(data: dict[str, Any]) -> str:
    """Where an edge leads: SERVICE:PORT, or the address of a gateway as it stands."""
    return str(data["service"]) if "://" in data["service"] else f"{data['service']}:{data['port']}"


def _detail(data: dict[str, Any]) -> str:
    parts = []
    if data.get("requests"):
        parts.append("; ".join(data["requests"]))
    if data.get("symptom") and data["verdict"] == "denied":
        parts.append(data["symptom"])
    if data.get("policies"):
        parts.append(", ".join(data["policies"][:3]))
    return f"   {' — '.join(parts)}" if parts else ""
