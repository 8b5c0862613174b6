"""`meshcheck snapshot`: carry a cluster away in one file, and ask it anything later."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

from meshcheck.cli.command_parser import CommandParser
from meshcheck.cli.live import settle_namespace
from meshcheck.cli.sources import add_source_options, read_sources
from meshcheck.errors import UsageError
from meshcheck.model.cluster_kinds import CALL, RBAC
from meshcheck.model.coverage import Coverage

_EXAMPLES = """\
examples:
  meshcheck snapshot -o shop.snapshot
  meshcheck trace --snapshot shop.snapshot --from shop/frontend --to http://cart.shop:8080/
  meshcheck snapshot --context prod -n shop -o shop.snapshot      one namespace, and Istio's own
  meshcheck snapshot -o for-a-ticket.snapshot --redact key.json     names, hosts and addresses replaced
  meshcheck snapshot --snapshot old.snapshot -f change/ -o new.snapshot
  ssh bastion meshcheck snapshot -o - | meshcheck graph --snapshot - --exposed

A snapshot holds no Secrets, no tokens, no passwords of containers, and no file of a ConfigMap that looks like one; what was taken is
unknown to whoever reads it. What could not be listed stays named: answers are those that the cluster gave.

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
    add_source_options(p)
    return p


def run(words: list[str]) -> int:
    """Run the command; returns the exit status."""
    options = parser().parse_args(words)
    if options.redact == "-":
        raise UsageError("`--redact -`: the key needs a file of its own, as in `--redact key.json`")
    settle_namespace(options)
    reading = read_sources(options, uses=(CALL, RBAC), narrow=True)
    from meshcheck.load.snapshot import write_snapshot

    for note in reading.not_read:
        if note.fatal:
            print(f"meshcheck: {note.place}: not read: {note.reason}", file=sys.stderr)
    values = (document.value for document in reading.documents)
    head = write_snapshot(options.output, values, reading.coverage, reading.torn, key_file=options.redact)
    kinds = Counter(document.value["kind"] for document in reading.documents)
    told = sys.stderr if options.output == "-" else sys.stdout
    size = "" if options.output == "-" else f", {Path(options.output).stat().st_size / 1024:.0f} KiB"
    print(f"{options.output}: {head['objects']} objects of {len(kinds)} kinds{size}", file=told)
    for gap in Coverage.from_json(head["coverage"]).gaps if head["coverage"] else ():
        print(f"  {gap.fact()}", file=told)
    if options.redact:
        print(f"  names, hosts and addresses are replaced; `{options.redact}` leads back: do not send it along", file=told)
    if head["removed"]:
        print(f"  {len(head['removed'])} objects held what looks like a secret: it is not in the file", file=told)
    return 0
