"""The live cluster as a source: its options, and reading it with progress on a terminal."""

from __future__ import annotations

import argparse
import re
import sys
import time
from typing import TYPE_CHECKING

from meshcheck.errors import UsageError
from meshcheck.model.cluster_kinds import CALL

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshcheck.load.cluster import Api, Login, Wanted
    from meshcheck.load.read import Reading
    from meshcheck.load.snapshot.part import Listing

    ListingOf = Callable[[Api, Wanted], Listing]

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "ms": 0.001}


def add_live_options(parser: argparse.ArgumentParser, *, asks_for_others: bool = False) -> None:
    """Give a command kubectl's options. `asks_for_others`: `--as` and `-A` are words of the command's question, as in `can`."""
    group = parser.add_argument_group("the live cluster (the source when no other is given)")
    group.add_argument("--context", metavar="CONTEXT", help="context of the kubeconfig")
    group.add_argument("--kubeconfig", metavar="FILE", help="kubeconfig ($KUBECONFIG, ~/.kube/config; in a pod, its service account)")
    group.add_argument("--live", action="store_true", help="read the cluster, and lay the other sources over it: what would `-f` change?")
    if not asks_for_others:
        group.add_argument("--as", dest="as_user", metavar="WHO", help="read as another user (impersonation)")
        group.add_argument("--as-group", dest="as_groups", metavar="GROUP", action="append", default=[], help="read as a group; repeatable")
        group.add_argument("-A", "--all-namespaces", action="store_true", help="read all namespaces, also where `-n` names one")
    group.add_argument("--request-timeout", metavar="DURATION", default="30s", help="longest time of one request: `5s`, `1m` (30s)")
    group.add_argument(
        "--read-secrets",
        metavar="[NS/]NAME",
        action="append",
        default=[],
        help="read this Secret (certificates of gateways, passwords of an ingress); without it none is read; repeatable",
    )


def is_live(options: argparse.Namespace) -> bool:
    """Whether a command reads the live cluster: asked for, or nothing else given."""
    named = getattr(options, "live", False) or getattr(options, "context", None) or getattr(options, "kubeconfig", None)
    return bool(named) or not getattr(options, "sources", None)


def login_of(options: argparse.Namespace) -> Login:
    """Who asks which cluster."""
    from meshcheck.load.cluster import Login

    return Login(
        context=options.context,
        kubeconfig=options.kubeconfig,
        as_user=getattr(options, "as_user", None),
        as_groups=tuple(getattr(options, "as_groups", ())),
        timeout=seconds(options.request_timeout),
    )


def settle_namespace(options: argparse.Namespace) -> None:
    """As kubectl: names without a namespace are in that of the context, where the cluster is the source and `-n` says nothing."""
    options.narrowed_to = options.namespace  # what is read is narrowed only by what the user says
    if options.namespace is None and is_live(options):
        from meshcheck.load.cluster import default_namespace

        options.namespace = default_namespace(login_of(options))


def read_live(
    options: argparse.Namespace,
    reading: Reading,
    *,
    uses: tuple[str, ...] = (CALL,),
    near: tuple[str, ...] = (),
    narrow: bool = False,
    listing_of: ListingOf | None = None,
) -> None:
    """Read the cluster into a Reading. `near`: namespaces of the question; `narrow`: `-n` says which namespaces are read at all.

    `listing_of` makes what keeps the lists of a snapshot.
    """
    from meshcheck.load.cluster import Wanted, connect, read_cluster
    from meshcheck.load.cluster.settings import USUAL_ROOT

    root = options.root_namespace or USUAL_ROOT
    given = getattr(options, "narrowed_to", options.namespace) if narrow and not getattr(options, "all_namespaces", False) else None
    some = (given, root) if given else ()
    known = (*near, options.namespace or "default", root, "kube-system")
    wanted = Wanted(
        uses=uses,
        namespaces=tuple(dict.fromkeys(some)),
        near=tuple(dict.fromkeys(n for n in known if n)),
        secrets=tuple(_secret(text, options.namespace) for text in options.read_secrets),
        root_namespace=options.root_namespace,
    )
    api = connect(login_of(options))
    progress = _Progress()
    api.on_wait = progress.wait
    try:
        read_cluster(api, reading, wanted, progress.show, listing_of(api, wanted) if listing_of else None)
    finally:
        progress.end()


def seconds(text: str) -> float:
    """`30s`, `1m30s`, `500ms` or a number of seconds; `0` is no limit, as in kubectl."""
    found = re.findall(r"(\d+(?:\.\d+)?)(ms|[smh]?)", text)
    if not found or "".join(number + unit for number, unit in found) != text:
        raise UsageError(f"`--request-timeout {text}`: write a time such as `5s` or `1m`")
    total = sum(float(number) * _UNITS[unit] for number, unit in found)
    return total or 3600.0


def _secret(text: str, namespace: str | None) -> tuple[str, str]:
    where, slash, name = text.rpartition("/")
    if not name or "/" in where:
        raise UsageError(f"`--read-secrets {text}`: write NAMESPACE/NAME")
    return (where if slash else namespace or "default"), name


class _Progress:
    """Says on a terminal what is read, once it takes longer than a second; why it waits is said anywhere."""

    def __init__(self) -> None:
        self.start, self.objects, self.shown = time.monotonic(), 0, False
        self.terminal = sys.stderr.isatty()

    def show(self, kind: str, number: int) -> None:
        self.objects += number
        if self.terminal and time.monotonic() - self.start > 1:
            self.shown = True
            print(f"\r\033[Kreading the cluster, {self.objects} objects, {kind} …", end="", file=sys.stderr, flush=True)

    def wait(self, why: str) -> None:
        if self.shown:
            print("\r\033[K", end="", file=sys.stderr)
        print(f"meshcheck: {why}", file=sys.stderr, flush=True)

    def end(self) -> None:
        if self.shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
