"""`meshcheck snapshot`: carry a cluster away in one file, and ask it anything later."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from meshcheck.cli.command_parser import CommandParser
from meshcheck.cli.live import is_live, settle_namespace
from meshcheck.cli.sources import add_source_options, read_sources
from meshcheck.errors import MeshcheckError, UsageError
from meshcheck.model.cluster_kinds import CALL, RBAC
from meshcheck.model.coverage import Coverage

if TYPE_CHECKING:
    from meshcheck.load.cluster import Api, Wanted
    from meshcheck.load.snapshot.part import Listing

_EXAMPLES = """\
examples:
  meshcheck snapshot -o shop.snapshot
  meshcheck trace --snapshot shop.snapshot --from shop/frontend --to http://cart.shop:8080/
  meshcheck snapshot --context prod -n shop -o shop.snapshot      one namespace, and Istio's own
  meshcheck snapshot -o for-a-ticket.snapshot --redact key.json     names, hosts and addresses replaced
  meshcheck snapshot -o shop.snapshot --resume                    go on where the same command failed
  meshcheck snapshot --snapshot old.snapshot -f change/ -o new.snapshot
  ssh bastion meshcheck snapshot -o - | meshcheck graph --snapshot - --exposed

A snapshot holds no Secrets, no tokens, no passwords of containers, and no file of a ConfigMap that looks like one; what was taken is
unknown to whoever reads it. What could not be listed stays named: answers are those that the cluster gave.

A snapshot that fails leaves what it has listed in FILE.part, for an hour. One with `--redact` leaves nothing behind.

exit status: 0 written, 2 wrong use, or a cluster that cannot be read
"""


def parser() -> argparse.ArgumentParser:
    """The options of `snapshot`."""
    p = CommandParser(
        prog="meshcheck snapshot",
        description="Write what a cluster holds into one file, without secrets.",
        epilog=_EXAMPLES,
    )
    p.add_argument(
        "-o", "--output", metavar="FILE", required=True, help="the file to write (JSON Lines in gzip), or `-` for standard output"
    )
    p.add_argument(
        "--redact",
        metavar="FILE",
        help="replace names, hosts and addresses; the key that leads back is written to FILE (or taken from it): keep it to yourself",
    )
    p.add_argument("--resume", action="store_true", help="go on from FILE.part, which the same command has left when it failed")
    add_source_options(p)
    return p


def run(words: list[str]) -> int:
    """Run the command; returns the exit status."""
    options = parser().parse_args(words)
    if options.redact == "-":
        raise UsageError("`--redact -`: the key needs a file of its own, as in `--redact key.json`")
    settle_namespace(options)
    if options.resume and (why := _why_not_in_parts(options)):
        raise UsageError(f"`--resume`: {why}: run without it")
    listing: Listing | None = None

    def listing_of(api: Api, wanted: Wanted) -> Listing:
        nonlocal listing
        listing = _listing(options, api, wanted)
        return listing

    try:
        reading = read_sources(options, uses=(CALL, RBAC), narrow=True, listing_of=None if _why_not_in_parts(options) else listing_of)
    except (MeshcheckError, KeyboardInterrupt) as error:
        if isinstance(error, UsageError):
            _forget(listing)
        elif listing is not None and (listing.begun or options.resume):
            print(f"meshcheck: what was listed is in `{listing.path}`: the same command with `--resume` goes on there", file=sys.stderr)
        elif options.redact and is_live(options):
            print("meshcheck: nothing was written: a redacted snapshot cannot be resumed", file=sys.stderr)
        raise
    from meshcheck.load.snapshot import write_snapshot
    from meshcheck.semantics.world.versions import summary

    moments = (*reading.moments, *(listing.moments if listing and len(listing.moments) > 1 else ()))
    for note in reading.not_read:
        if note.fatal:
            print(f"meshcheck: {note.place}: not read: {note.reason}", file=sys.stderr)
    values = (document.value for document in reading.documents)
    head = write_snapshot(
        options.output,
        values,
        reading.coverage,
        reading.torn,
        key_file=options.redact,
        moments=moments,
        removed_before=listing.removed if listing else None,
        redacted=bool(reading.redacted),
    )
    if listing is not None:
        listing.remove()
    kinds = Counter(document.value["kind"] for document in reading.documents)
    told = sys.stderr if options.output == "-" else sys.stdout
    size = "" if options.output == "-" else f", {Path(options.output).stat().st_size / 1024:.0f} KiB"
    print(f"{options.output}: {head['objects']} objects of {len(kinds)} kinds{size}", file=told)
    if versions := summary(document.value for document in reading.documents if document.value["kind"] == "Pod"):
        print(f"  Istio: {versions}", file=told)
    for gap in Coverage.from_json(head["coverage"]).gaps if head["coverage"] else ():
        print(f"  {gap.fact()}", file=told)
    if moments:
        what = "the objects may be of more than one moment, and the file says so"
        print(f"  interrupted and resumed ({', '.join(moments)}): {what}", file=told)
    if options.redact:
        print(f"  names, hosts and addresses are replaced; `{options.redact}` leads back: do not send it along", file=told)
    if head["removed"]:
        print(f"  {len(head['removed'])} objects held what looks like a secret: it is not in the file", file=told)
    return 0


def _forget(listing: Listing | None) -> None:
    """What was listed for a question that is wrong is of no use."""
    if listing is not None and listing.begun:
        listing.remove()


def _why_not_in_parts(options: argparse.Namespace) -> str | None:
    """Why what was listed is not kept beside the snapshot; None where it is."""
    if options.redact:
        return "a redacted snapshot leaves nothing behind that has names in it"
    if options.output == "-":
        return "what is written to standard output leaves no file behind"
    return None if is_live(options) else "only a cluster is read in parts"


def _listing(options: argparse.Namespace, api: Api, wanted: Wanted) -> Listing:
    """The file beside the snapshot, which names the cluster and the options: what they differ in cannot be put together."""
    from meshcheck import __version__
    from meshcheck.load.cluster import ApiError
    from meshcheck.load.snapshot.part import Listing

    try:
        cluster = str(api.get("/api/v1/namespaces/kube-system")["metadata"]["uid"])
    except ApiError:
        cluster = ""  # not everybody may see it; the address says which cluster it is
    asked = {
        "server": api.server,
        "cluster": cluster,
        "--as": options.login_as_user,
        "--as-group": options.login_as_groups,
        "--as-uid": options.login_as_uid,
        "--as-user-extra": options.login_as_extra,
        "--user": options.login_user,
        "namespaces": list(wanted.namespaces),
        "-n": options.namespace,
        "--root-namespace": options.root_namespace,
        "version of meshcheck": __version__,
    }
    return Listing(f"{options.output}.part", asked, resume=options.resume)
