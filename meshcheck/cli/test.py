"""`meshcheck test`: statements about who may call what, kept beside the manifests."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from meshcheck.analyse.alike import Alike
from meshcheck.analyse.assertions.judge import judge
from meshcheck.analyse.assertions.read import AssertionFile
from meshcheck.cli.command_parser import CommandParser
from meshcheck.cli.live import settle_namespace
from meshcheck.cli.outputs import add_output_options, outputs_of, write_outputs
from meshcheck.cli.sources import add_source_options, read_sources, source_words
from meshcheck.errors import MeshcheckError, UsageError
from meshcheck.job.assertions import assertion_files, read_assertion_file
from meshcheck.load.places import Nodes
from meshcheck.render.assertions import FORMS, render
from meshcheck.render.assertions.report import Judged, counts
from meshcheck.semantics.world import World

_EXAMPLES = """\
a file of statements, `shop.meshcheck.yaml`:
  sources: [manifests/]                    # beside this file; or say `-f` and the like; without any: the cluster
  closedWorld: true                        # no workloads but those in the input
  tests:
  - name: only the gateway and the shop reach payments
    because: PCI
    from: {of: any, except: [shop/*, istio-system/ingressgateway]}
    to: payments/*
    expect: denied
  - name: the cart may read the catalogue
    from: shop/cart
    to: shop/catalog:8080
    methods: [GET, HEAD]
    paths: [/api/*]
    expect: allowed
  - name: nobody deletes without a token
    from: workloads
    to: shop/cart
    methods: [DELETE]
    token: false
    status: 403
    by: AuthorizationPolicy shop/cart

examples:
  meshcheck test                                            # all *.meshcheck.yaml below the current folder
  meshcheck test policies/ -f manifests/ --closed-world
  meshcheck test shop.meshcheck.yaml -o text -o junit=report.xml

Methods, paths, hosts, headers and tokens that a statement does not name may be anything: it is decided over all requests, not over
examples. `from`: NAMESPACE/NAME with globs, sa/NAMESPACE/NAME, `workloads`, `external` (from outside the cluster, by every way in), `any`
(both), an IP address; or `namespaces`, `names`, `serviceAccounts`, `labels`, `of`, `except`. `to`: the same, with `:PORT`, or a URL. A
statement with `expect: denied` is also about the ports of the pods themselves, past their Services.

exit status: 0 all hold, 1 one fails or is unknown (`--allow-unknown`: unknown ones pass), 2 wrong use or unreadable input
"""


def parser() -> argparse.ArgumentParser:
    """The options of `test`."""
    p = CommandParser(
        prog="meshcheck test",
        description="Judge statements about who may call what.",
        epilog=_EXAMPLES,
    )
    p.add_argument("paths", nargs="*", metavar="PATH", help="files, or folders with *.meshcheck.yaml (default: the current folder)")
    p.add_argument("--allow-unknown", action="store_true", help="a statement that cannot be decided does not make exit status 1")
    add_source_options(p)
    add_output_options(p, tuple(FORMS))
    return p


def run(words: list[str]) -> int:
    """Run the command; returns the exit status."""
    options = parser().parse_args(words)
    outputs = outputs_of(options)
    files = [(path, *read_assertion_file(path)) for path in assertion_files(options.paths or ["."])]
    worlds = _Worlds(options)
    judged = [one for path, content, nodes in files for one in _judged(path, content, nodes, worlds)]
    write_outputs(outputs, lambda form, style: render(form, judged, style), options.color)
    found = counts(judged)
    return 1 if found["fails"] or (found["unknown"] and not options.allow_unknown) else 0


def _judged(path: str, content: AssertionFile, nodes: Nodes, worlds: _Worlds) -> Iterator[Judged]:
    alike, sources = worlds.of(path, content)
    for number, assertion in enumerate(content.assertions):
        if sys.stderr.isatty():
            print(f"\r\033[K{path}: {assertion.name} …", end="", file=sys.stderr, flush=True)
        place = nodes.place(("tests", number))
        try:
            found = judge(alike.world, assertion, alike)
        except MeshcheckError as error:
            raise UsageError(f"{path}:{place.line}: {error}") from None
        if sys.stderr.isatty():
            print("\r\033[K", end="", file=sys.stderr)
        yield Judged(path, place.line, found, sources)


class _Worlds:
    """The Worlds that files ask for, each read once."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._made: dict[tuple[object, ...], tuple[Alike, tuple[str, ...]]] = {}

    def of(self, path: str, content: AssertionFile) -> tuple[Alike, tuple[str, ...]]:
        """The World of a file, and the words that name it on a command line. What the command line says goes before the file."""
        given: list[tuple[str, str]] = getattr(self._options, "sources", None) or []
        sources = given or [("PATH", str(Path(path).parent / source)) for source in content.sources]
        closed = self._options.closed_world or content.closed
        sidecars = self._options.sidecars or ",".join(content.sidecars)
        key = (tuple(sources), closed, sidecars)
        if key not in self._made:
            self._made[key] = self._make(sources, closed, sidecars)
        return self._made[key]

    def _make(self, sources: list[tuple[str, str]], closed: bool, sidecars: str) -> tuple[Alike, tuple[str, ...]]:
        from meshcheck.cli.world import warn, world_of

        options = argparse.Namespace(**{**vars(self._options), "sources": sources, "closed_world": closed, "sidecars": sidecars})
        settle_namespace(options)
        reading = read_sources(options)
        world: World = world_of(options, reading)
        warn(reading, world)
        return Alike(world), source_words(options)
