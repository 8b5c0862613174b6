"""`meshcheck diff`: what becomes allowed, denied, or otherwise answered when configuration changes."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from meshcheck.cli.command_parser import CommandParser
from meshcheck.cli.diff_sides import Side, sides_of
from meshcheck.cli.outputs import add_output_options, outputs_of, write_outputs
from meshcheck.cli.sources import add_source_options
from meshcheck.cli.world import warn, world_of
from meshcheck.errors import UsageError
from meshcheck.render.difference import FORMS

if TYPE_CHECKING:
    from meshcheck.model.finding import Finding
    from meshcheck.render.difference.report import DiffReport
    from meshcheck.semantics.world import World

_EXAMPLES = """\
examples:
  meshcheck diff old/ new/                         # two folders, files or snapshots
  meshcheck diff main.. -f manifests/              # what the work tree changes since `main`
  meshcheck diff HEAD~1..HEAD -f manifests/ -o markdown
  meshcheck diff --over snapshot.jsonl.gz -f new.yaml  # what applying these files would change
  meshcheck diff --over cluster -f new.yaml
  meshcheck diff old/ new/ --layer network-policy  # network policies alone, port by port, addresses outside too

Calls to ports of Services and from outside are compared over all requests, for every workload that may call; the example of each change is
a command that can be pasted. Give both sides with `--closed-world` when all of the mesh is there.

exit status: 0 no call fares otherwise, 1 changes that `--fail-on` names, 2 wrong use or unreadable input
"""
_FAIL = {
    "any": ("opens", "closes", "answer", "policy", "unknown"),
    "opens": ("opens", "unknown"),
    "closes": ("closes", "unknown"),
    "never": (),
}


def parser() -> argparse.ArgumentParser:
    """The options of `diff`."""
    p = CommandParser(
        prog="meshcheck diff",
        description="Compare two states: which calls become allowed, denied, or are answered otherwise.",
        epilog=_EXAMPLES,
    )
    p.add_argument(
        "old", nargs="?", metavar="OLD", help="a file, a folder, a snapshot, `cluster`; or REV..[REV] of git, for the files of -f"
    )
    p.add_argument("new", nargs="?", metavar="NEW", help="the other side")
    p.add_argument("--over", metavar="BASE", help="compare BASE with BASE and the given sources over it")
    add_source_options(p)
    what = p.add_argument_group("what is compared")
    what.add_argument("--layer", choices=("calls", "network-policy"), default="calls", help="calls, or network policies alone (calls)")
    what.add_argument("--no-lint", action="store_true", help="leave out the findings of lint that come and go")
    what.add_argument("--fail-on", choices=tuple(_FAIL), default="any", help="changes that make exit status 1 (any)")
    add_output_options(p, tuple(FORMS))
    return p


def run(arguments: list[str]) -> int:
    """Run the command; returns the exit status."""
    from meshcheck.render.difference import render

    options = parser().parse_args(arguments)
    outputs = outputs_of(options)
    old, new = sides_of(options, exact=not options.no_lint)
    for side in (old, new):
        if not side.reading.documents and (broken := [n for n in side.reading.not_read if n.fatal]):
            raise UsageError(f"nothing could be read of `{side.name}`: {broken[0].place}: {broken[0].reason}")
    report = _report(options, old, new)
    write_outputs(outputs, lambda form, style: render(form, report, style), options.color)
    bad = _FAIL[options.fail_on]
    changed = any(change.kind in bad for change in report.difference.changes) or (bool(bad) and bool(report.connections))
    return 1 if changed else 0


def _report(options: argparse.Namespace, old: Side, new: Side) -> DiffReport:
    from meshcheck.analyse.affected import affected
    from meshcheck.analyse.changed_objects import ObjectChange, changed_objects
    from meshcheck.analyse.connections import changes
    from meshcheck.analyse.difference import Difference, difference
    from meshcheck.model.objects import Path, Place
    from meshcheck.render.difference.report import DiffReport

    worlds = world_of(options, old.reading), world_of(options, new.reading)
    for side, world in zip((old, new), worlds):
        warn(side.reading, world)
    objects = changed_objects(old.reading.documents, new.reading.documents, options.namespace or "default", applied=bool(options.over))

    def locate(change: ObjectChange, field: Path) -> Place | None:
        return new.reading.place(change.new, field) if change.new else old.reading.place(change.old, field)

    alone = options.layer == "network-policy"
    found = Difference((), (), 0) if alone else difference(*worlds, affected(worlds, objects), _progress())
    linted = not options.no_lint and not alone
    appeared, vanished = _findings(options, (old, new), worlds) if linted else ((), ())
    return DiffReport(
        old=old.name,
        new=new.name,
        objects=objects,
        difference=found,
        connections=tuple(changes(*worlds)) if alone else None,
        appeared=appeared,
        vanished=vanished,
        locate=locate,
        linted=linted,
        sources=new.options,
    )


def _findings(options: argparse.Namespace, sides: tuple[Side, Side], worlds: tuple[World, World]) -> tuple[tuple[Finding, ...], ...]:
    """Findings of lint that appear and that vanish, with the project's settings."""
    from meshcheck.cli.lint import outcome_of, settings_of
    from meshcheck.lint.baseline import fingerprint, subtract

    settings = settings_of(None)
    before = outcome_of(sides[0].reading, worlds[0], settings).shown
    after = outcome_of(sides[1].reading, worlds[1], settings, before=worlds[0]).shown
    appeared, _ = subtract(after, Counter(map(fingerprint, before)))
    vanished, _ = subtract(before, Counter(map(fingerprint, after)))
    return tuple(f for f in appeared if not f.suppressed), tuple(f for f in vanished if not f.suppressed)


def _progress() -> Callable[[int, int], None] | None:
    """Says on a terminal how many targets are done, once it takes longer than a second."""
    if not sys.stderr.isatty():
        return None
    import time

    start = time.monotonic()

    def show(done: int, of: int) -> None:
        if time.monotonic() - start > 1:
            print(f"\rcomparing, {done} of {of} targets …\033[K", end="" if done + 1 < of else "\r\033[K", file=sys.stderr, flush=True)

    return show
