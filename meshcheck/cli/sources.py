"""The options that say where configuration comes from, the same for every command that needs a World."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from meshcheck.cli.live import add_live_options, is_live, read_live
from meshcheck.cli.login_options import idle_identity, login_words, names_a_cluster
from meshcheck.errors import UsageError
from meshcheck.load.read import Reading
from meshcheck.model.cluster_kinds import CALL, RBAC, kinds_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshcheck.cli.live import ListingOf


_FLAG_OF = {"PATH": "-f", "DIR": "-k", "CHART": "--helm", "FILE": "--snapshot"}


class _Ordered(argparse.Action):
    """Collects `-f`, `-k` and `--helm` in one list: later sources lie over earlier ones."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: object, option: str | None = None) -> None:
        namespace.sources = [*(getattr(namespace, "sources", None) or []), (self.metavar, values)]


def add_source_options(parser: argparse.ArgumentParser, *, asks_for_others: bool = False) -> None:
    """Give a command the options of its sources. `asks_for_others`: `--as` and `-A` are words of its question."""
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
    group.add_argument(
        "--snapshot",
        metavar="FILE",
        action=_Ordered,
        dest="sources",
        help="written earlier by `meshcheck snapshot`; `-` for standard input",
    )
    group.add_argument("--values", metavar="FILE", action="append", default=[], help="values for `--helm`")
    group.add_argument("-n", "--namespace", metavar="NS", help="namespace of names that do not say theirs (that of the context; default)")
    group.add_argument("--closed-world", action="store_true", help="what is not in the input does not exist")
    group.add_argument("--root-namespace", metavar="NS", help="Istio's root namespace, where the input does not say (istio-system)")
    group.add_argument("--trust-domain", metavar="TD", help="the mesh's trust domain, where the input does not say (cluster.local)")
    group.add_argument("--mesh-config", metavar="FILE", help="mesh config as YAML, where the input holds no `istio` ConfigMap")
    add_live_options(parser, asks_for_others=asks_for_others)
    group.add_argument(
        "--sidecars", metavar="NS[,NS]", default="", help="namespaces whose pods have sidecars, where the input does not say (`*` for all)"
    )


def source_words(options: argparse.Namespace) -> tuple[str, ...]:
    """The options that make the same World again, without tokens and passwords."""
    sources: Sequence[tuple[str, str]] = getattr(options, "sources", None) or ()
    out = ["--live"] if options.live or (not sources and not names_a_cluster(options)) else []
    out += [word for kind, source in sources for word in (_FLAG_OF[kind], source)]
    out += [word for file in options.values for word in ("--values", file)]
    out += ["--closed-world"] if options.closed_world else []
    for name in ("namespace", "root_namespace", "trust_domain", "mesh_config", "sidecars"):
        found = getattr(options, name, None)
        out += [f"--{name.replace('_', '-')}", found] if found else []
    return (*out, *login_words(options))


def read_sources(
    options: argparse.Namespace,
    exact: bool = False,
    *,
    uses: tuple[str, ...] = (CALL,),
    near: tuple[str, ...] = (),
    narrow: bool = False,
    listing_of: ListingOf | None = None,
) -> Reading:
    """Read what the options name; the live cluster when they name nothing.

    Of a cluster: `uses` are the kinds that are needed (CALL, RBAC), `near` the namespaces of the question, and with `narrow` only the
    namespace of `-n` is read; `listing_of` makes what keeps the lists of a snapshot.
    """
    sources: Sequence[tuple[str, str]] = getattr(options, "sources", None) or ()
    asks_proxy = bool(getattr(options, "proxies", None) or getattr(options, "proxy_config", None))
    reading = Reading(exact=exact, on_file=_progress())
    if is_live(options):
        read_live(options, reading, uses=uses, near=near, narrow=narrow, listing_of=listing_of)
    elif (idle := idle_identity(options)) and not asks_proxy:
        token = "; a token of the call itself is `--jwt`" if idle == "--token" and hasattr(options, "jwt") else ""
        raise UsageError(f"`{idle}` says who asks the cluster, and the sources are files: add `--live` to read it as well{token}")
    for kind, value in sources:
        if kind == "PATH":
            reading.add_path(value)
        elif kind == "FILE":
            from meshcheck.load.snapshot import read_snapshot

            read_snapshot(value, reading)
        else:
            from meshcheck.load import render

            text = render.kustomize(value) if kind == "DIR" else render.helm(value, options.values)
            reading.add_text(f"{'kustomize' if kind == 'DIR' else 'helm'}:{value}", text)
    if reading.on_file and sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    _say_moments(reading)
    return reading


def _say_moments(reading: Reading) -> None:
    """Objects of a cluster that are of more than one moment may not belong together."""
    if reading.torn:
        kinds = ", ".join(reading.torn)
        print(f"meshcheck: {kinds}: the objects changed while they were read, and are of more than one moment", file=sys.stderr)
    if len(reading.moments) > 1:
        print(
            f"meshcheck: the snapshot was interrupted and resumed ({', '.join(reading.moments)}): objects may be of more than one moment",
            file=sys.stderr,
        )


def redaction_note(reading: Reading) -> str:
    """What a name that is not found may come from; empty where nothing is replaced."""
    if not reading.redacted:
        return ""
    return f"; names in `{reading.redacted[0]}` are replaced (`--redact`): its key file tells which name stands for which"


def knows_rbac(options: argparse.Namespace, reading: Reading) -> bool:
    """Whether all roles and bindings were read, so that what none of them grants is refused."""
    if reading.coverage is None:
        return bool(options.closed_world)
    return all(reading.coverage.complete(kind.heading) for kind in kinds_for(RBAC))


def _progress() -> Callable[[int], None] | None:
    """Says on a terminal how far reading is, once it takes longer than a second."""
    if not sys.stderr.isatty():
        return None
    start = time.monotonic()

    def show(files: int) -> None:
        if time.monotonic() - start > 1:
            print(f"\rreading, {files} files …", end="", file=sys.stderr, flush=True)

    return show
