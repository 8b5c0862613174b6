"""`meshcheck graph`: who calls whom, and who may."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from meshcheck.cli.command_parser import CommandParser
from meshcheck.cli.live import settle_namespace
from meshcheck.cli.outputs import Output, add_output_options, outputs_of, write_outputs
from meshcheck.cli.sources import add_source_options, read_sources, redaction_note
from meshcheck.errors import UsageError

if TYPE_CHECKING:
    from meshcheck.render.style import Style
    from meshcheck.semantics.world import World

_EXAMPLES = """\
examples:
  meshcheck graph -f manifests/
  meshcheck graph -f manifests/ --focus shop/cart            who may call it, and who may not
  meshcheck graph -f manifests/ --focus shop -o mermaid > shop.mmd
  meshcheck graph -f manifests/ --exposed                    every way in from outside, and what guards it
  meshcheck graph -f manifests/ --group namespace -o dot | dot -Tsvg > mesh.svg

Up to 80 workloads every pair is asked about; in larger worlds the callers that a policy names, or, with --focus, all callers of the focus.
"""


def parser() -> argparse.ArgumentParser:
    """The options of `graph`."""
    p = CommandParser(
        prog="meshcheck graph",
        description="The service-to-service graph.",
        epilog=_EXAMPLES,
    )
    p.add_argument("--exposed", action="store_true", help="every way from outside to a workload, and what guards it (text or json)")
    p.add_argument("--focus", action="append", default=[], metavar="NAMESPACE[/WORKLOAD]", help="only calls to and from these; repeatable")
    p.add_argument(
        "--group",
        choices=("auto", "namespace", "none"),
        default="auto",
        help="namespaces as nodes; auto: from 40 workloads on, without --focus",
    )
    p.add_argument(
        "--verdict",
        action="append",
        default=[],
        choices=("allowed", "some", "denied", "unknown"),
        help="only edges with this verdict; repeatable",
    )
    add_source_options(p)
    add_output_options(p, ("text", "json", "graphml", "dot", "mermaid"))
    return p


def run(words: list[str]) -> int:
    """Run the command; returns the exit status."""
    options = parser().parse_args(words)
    outputs = outputs_of(options)
    for output in outputs if options.exposed else ():
        if output.form not in ("text", "json"):
            raise UsageError(f"`--exposed` is written as text or json, not as {output.form}")
    settle_namespace(options)
    reading = read_sources(options, narrow=True)
    from meshcheck.cli.world import warn, world_of

    world = world_of(options, reading)
    warn(reading, world)
    for wanted in options.focus:
        namespace, _, name = wanted.partition("/")
        if namespace not in world.namespaces or (name and world.find_workload(namespace, name) is None):
            raise UsageError(f"`--focus {wanted}`: no such {'workload' if name else 'namespace'} in the input{redaction_note(reading)}")
    if options.exposed:
        return _exposed(outputs, world, options.color)
    from meshcheck.graph import build, group

    graph = build.build(world, frozenset(options.focus), frozenset(options.verdict))
    large = len(graph) > group.MOST_WORKLOADS and not options.focus
    if options.group == "namespace" or (options.group == "auto" and large):
        graph = group.by_namespace(graph)
    write_outputs(outputs, lambda form, style: _shown(form, style, graph), options.color)
    return 0


def _shown(form: str, style: Style, graph: Any) -> str:
    from meshcheck.graph import group

    if form == "json":
        return json.dumps(group.to_json(graph), ensure_ascii=False, indent=2) + "\n"
    if form == "graphml":
        return group.to_graphml(graph)
    from meshcheck.render import graph_pictures, graph_text

    if form == "text":
        return graph_text.graph_text(graph, style)
    return graph_pictures.dot(graph) if form == "dot" else graph_pictures.mermaid(graph)


def _exposed(outputs: tuple[Output, ...], world: World, color: str) -> int:
    from meshcheck.graph.exposed import exposed, exposed_json
    from meshcheck.render.exposed_text import exposed_text

    rows = exposed(world)

    def shown(form: str, style: Style) -> str:
        return json.dumps(exposed_json(rows), ensure_ascii=False, indent=2) + "\n" if form == "json" else exposed_text(rows, style)

    write_outputs(outputs, shown, color)
    return 0
