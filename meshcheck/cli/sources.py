"""The options that say where configuration comes from, the same for every command that needs a World."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from meshcheck.errors import UsageError
from meshcheck.load.read import Reading

if TYPE_CHECKING:
    from collections.abc import Callable


class _Ordered(argparse.Action):
    """Collects `-f`, `-k` and `--helm` in one list: later sources lie over earlier ones."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: object, option: str | None = None) -> None:
        namespace.sources = [*(getattr(namespace, "sources", None) or []), (self.metavar, values)]


def add_source_options(parser: argparse.ArgumentParser) -> None:
    """Give a command the options of its sources."""
    group = parser.add_argument_group("where configuration comes from (later sources lie over earlier ones)")
    group.add_argument(
        "-f",
        "--filename",
        metavar="PATH",
        action=_Ordered,
        dest="sources",
        help="a file, a folder (recursive), or `-` for standard input; repeatable",
    )
    group.add_argument(
        "-k", "--kustomize", metavar="DIR", action=_Ordered, dest="sources", help="rendered with `kubectl kustomize` or `kustomize`"
    )
    group.add_argument("--helm", metavar="CHART", action=_Ordered, dest="sources", help="rendered with `helm template`")
    group.add_argument("--values", metavar="FILE", action="append", default=[], help="values for `--helm`")
    group.add_argument("-n", "--namespace", metavar="NS", help="namespace of names that do not say theirs (default: default)")
    group.add_argument("--closed-world", action="store_true", help="what is not in the input does not exist")
    group.add_argument("--root-namespace", metavar="NS", help="Istio's root namespace, where the input does not say (istio-system)")
    group.add_argument("--trust-domain", metavar="TD", help="the mesh's trust domain, where the input does not say (cluster.local)")
    group.add_argument("--mesh-config", metavar="FILE", help="mesh config as YAML, where the input holds no `istio` ConfigMap")
    group.add_argument(
        "--sidecars", metavar="NS[,NS]", default="", help="namespaces whose pods have sidecars, where the input does not say (`*` for all)"
    )


def read_sources(options: argparse.Namespace, exact: bool = False) -> Reading:
    """Read what the options name. Raises UsageError when they name nothing."""
    sources: Sequence[tuple[str, str]] = getattr(options, "sources", None) or ()
    if not sources:
        raise UsageError("no source given: name manifests with `-f PATH`, `-k DIR` or `--helm CHART`")
    reading = Reading(exact=exact, on_file=_progress())
    for kind, value in sources:
        if kind == "PATH":
            reading.add_path(value)
        else:
            from meshcheck.load import render

            text = render.kustomize(value) if kind == "DIR" else render.helm(value, options.values)
            reading.add_text(f"{'kustomize' if kind == 'DIR' else 'helm'}:{value}", text)
    if reading.on_file and sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    return reading


def _progress() -> Callable[[int], None] | None:
    """Says on a terminal how far reading is, once it takes longer than a second."""
    if not sys.stderr.isatty():
        return None
    start = time.monotonic()

    def show(files: int) -> None:
        if time.monotonic() - start > 1:
            print(f"\rreading, {files} files …", end="", file=sys.stderr, flush=True)

    return show
