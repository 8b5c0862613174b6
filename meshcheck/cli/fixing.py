"""Fixes of a trace as changes of files."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any

from meshcheck.cli.live import cluster_words
from meshcheck.errors import UsageError
from meshcheck.load.read import Reading
from meshcheck.model.trace import Fix
from meshcheck.patch import Change, changes_of
from meshcheck.patch.preview import preview
from meshcheck.render.diff_text import all_files
from meshcheck.render.fix_text import command, fix_lines
from meshcheck.render.style import Style, style_for


def patch_lines(options: argparse.Namespace, fix: Fix, reading: Reading, style: Style) -> list[str]:
    """What stands under a fix in text."""
    previews = [preview(change, reading.text_of) for change in changes_of(fix)]
    return fix_lines(fix, previews, options.patch_format, style, cluster_words(options))


def chosen(options: argparse.Namespace, fixes: Sequence[Fix]) -> Fix | None:
    """The fix that `--fix` or `--diff` means; None where there is none. Raises UsageError for a number that no fix has."""
    number = options.fix if options.fix is not None else 1
    if number < 1 or (fixes and number > len(fixes)):
        raise UsageError(f"`--fix={number}`: {'fixes are counted from 1' if number < 1 else f'there are {len(fixes)} fixes'}")
    return fixes[number - 1] if fixes else None


def apply(options: argparse.Namespace, fix: Fix, reading: Reading, text: bool) -> dict[str, Any]:
    """Write a fix, or show it with `--diff`. What was done, as JSON: `written` (files), `not_done` (with the command to use instead).

    `text`: standard output is for people, and not for a program.
    """
    from meshcheck.cli.edited_files import EditedFiles

    files = EditedFiles(changes_of(fix), reading.text_of)
    stream = sys.stdout if text else sys.stderr
    style = style_for(stream, options.color)
    cluster = cluster_words(options)
    left = [{"object": n.change.object.as_json(), "reason": n.reason, "command": _command(n.change, cluster)} for n in files.not_done]
    written: list[str] = []
    if options.diff:
        print(all_files(files.before, files.after, style), end="", file=stream)
    elif not files.not_done:  # all of it or nothing: half a fix may be worse than none
        written = files.write()
    if text:
        for name in written:
            print(f"  {style.bold('Wrote')}   {os.path.relpath(name) if not os.path.isabs(name) else name}")
        for item in files.not_done:
            place = f"{item.place}: " if item.place is not None else ""
            above = item.change.origin is not None and item.change.origin.in_cluster and not options.diff
            how = "the command above makes the change" if above else "change it with"
            print(f"  {style.yellow('Not written')} {item.change.object}: {place}{item.reason}; {how}", file=stream)
            if not above:
                print("\n".join(f"    {line}" for line in _command(item.change, cluster)), file=stream)
        if files.not_done and files.done and not options.diff:
            print("  the rest of the fix is not written either: use both or neither", file=stream)
    return {"description": fix.description, "written": written, "not_done": left}


def _command(change: Change, cluster: Sequence[str]) -> list[str]:
    steps = change.steps if change.new is None else ({"op": "add", "path": "", "value": change.new},)
    return command(change.object, steps, cluster)
