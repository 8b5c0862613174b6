"""The ways from outside, for a terminal."""

from __future__ import annotations

from meshcheck.graph.exposed import Exposed
from meshcheck.render.style import Style


def exposed_text(rows: list[Exposed], style: Style) -> str:
    """One block for each entry point and address, one line for each path."""
    if not rows:
        return "no way in: no gateway with routes, and no Service with an address outside the cluster\n"
    lines: list[str] = []
    last = ""
    width = max(len(row.way.path) for row in rows)
    for row in sorted(rows, key=lambda r: (r.way.entry, r.way.address)):
        head = f"{row.way.address} through {row.way.entry}"
        if head != last:
            lines += ["", style.bold(head)] if lines else [style.bold(head)]
            last = head
        lines.append(_line(row, min(width, 40), style))
        if row.guards:
            lines.append(style.dim("      guarded by " + ", ".join(dict.fromkeys(what for _, what in row.guards))))
    lines += ["", style.dim("● open to anyone   ✗ refused without credentials   ? depends on more (the first word on it is shown)")]
    return "\n".join(lines) + "\n"


def _line(row: Exposed, width: int, style: Style) -> str:
    marks = {"allowed": style.yellow("●"), "denied": style.green("✗"), "unknown": style.yellow("?")}
    to = f" → {row.reaches}" if row.reaches else ""
    return f"  {marks[row.verdict]} {row.way.path:<{width}}{to}{style.dim('   ' + row.said) if row.said else ''}"
