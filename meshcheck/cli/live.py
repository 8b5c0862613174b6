"""The live cluster as a source: its options, and reading it with progress on a terminal."""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING

from meshcheck.cli.login_options import add_login_options, login_of, login_words, names_a_cluster
from meshcheck.errors import UsageError
from meshcheck.model.cluster_kinds import CALL

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshcheck.load.cluster import Api, Wanted
    from meshcheck.load.read import Reading
    from meshcheck.load.snapshot.part import Listing

    ListingOf = Callable[[Api, Wanted], Listing]


def add_live_options(parser: argparse.ArgumentParser, *, asks_for_others: bool = False) -> None:
    """Give a command kubectl's options. `asks_for_others`: `--as` and `-A` are words of the command's question, as in `can`."""
    group = parser.add_argument_group("the live cluster (the source when no other is given)")
    group.add_argument("--live", action="store_true", help="read the cluster, and lay the other sources over it: what would `-f` change?")
    if not asks_for_others:
        group.add_argument("-A", "--all-namespaces", action="store_true", help="read all namespaces, also where `-n` names one")
    group.add_argument(
        "--read-secrets",
        metavar="[NS/]NAME",
        action="append",
        default=[],
        help="read this Secret (certificates of gateways, passwords of an ingress); without it none is read; repeatable",
    )
    add_login_options(group, asks_for_others=asks_for_others)


def is_live(options: argparse.Namespace) -> bool:
    """Whether a command reads the live cluster: asked for, or nothing else given."""
    return bool(getattr(options, "live", False)) or names_a_cluster(options) or not getattr(options, "sources", None)


def cluster_words(options: argparse.Namespace) -> tuple[str, ...]:
    """kubectl's options that say which cluster was read, for commands that change something there: not who was asked as."""
    return login_words(options, identity=False) if is_live(options) else ()


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
    if given and not getattr(options, "sources", None):  # files may bring it
        _refuse_unknown(given, reading)


def _refuse_unknown(namespace: str, reading: Reading) -> None:
    """A namespace that the cluster does not have is a slip: nothing in it would look like nothing wrong. Raises UsageError."""
    known = [document.value["metadata"]["name"] for document in reading.documents if document.value["kind"] == "Namespace"]
    if namespace in known or reading.coverage is None or not reading.coverage.complete("Namespace"):
        return
    from difflib import get_close_matches

    near = get_close_matches(namespace, known, 1)
    raise UsageError(f"`-n {namespace}`: the cluster has no such namespace{f'; did you mean `{near[0]}`?' if near else ''}")


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
