"""Fixes of findings, written into the files."""

from __future__ import annotations

import sys
from collections.abc import Callable

from meshcheck.cli.edited_files import EditedFiles
from meshcheck.lint.project import Outcome
from meshcheck.load.read import Reading
from meshcheck.model.objects import Origin
from meshcheck.model.trace import Fix
from meshcheck.patch import NotDone, changes_of
from meshcheck.render.diff_text import all_files
from meshcheck.render.style import style_for

_MOST_PASSES = 25


def show_fixes(outcome: Outcome, reading: Reading, unsafe: bool, color: str) -> int:
    """`--diff`: what would be written; exit status 1 when that is something."""
    files = EditedFiles([change for fix in _together(outcome, unsafe) for change in changes_of(fix)], reading.text_of)
    print(all_files(files.before, files.after, style_for(sys.stdout, color)), end="")
    _say_left(files.not_done)
    return 1 if files.after else 0


def write_fixes(outcome: Outcome, reading: Reading, unsafe: bool, look: Callable[[], tuple[Reading, Outcome]]) -> tuple[Reading, Outcome]:
    """`--fix`: write, read again, and go on until nothing is left to mend; what stands then."""
    number, names = 0, dict[str, None]()
    for _ in range(_MOST_PASSES):
        fixes = _together(outcome, unsafe)
        files = EditedFiles([change for fix in fixes for change in changes_of(fix)], reading.text_of)
        if not files.done:
            _say_left(files.not_done)
            break
        number += len(files.done)
        names |= dict.fromkeys(files.write())
        reading, outcome = look()
    if names:
        print(f"meshcheck: {number} fix{'' if number == 1 else 'es'} written: {', '.join(names)}", file=sys.stderr)
    return reading, outcome


def _together(outcome: Outcome, unsafe: bool) -> list[Fix]:
    """Fixes that can be written in one go: of each object only the first one that moves fields of lists, and replacements of others."""
    taken: dict[Origin | None, set[str] | None] = {}
    out = []
    for finding in outcome.shown:
        fix = finding.fix
        if fix is None or not fix.patches or not (fix.safe or unsafe):
            continue
        paths = {str(step["path"]) for _, steps in fix.patches for step in steps if step["op"] != "test"}
        moves = any(step["op"] not in ("replace", "test") for _, steps in fix.patches for step in steps)
        seen = [taken.get(origin, set()) for origin in fix.origins]
        if any(one is None or (one and moves) or one & paths for one in seen):
            continue
        out.append(fix)
        for origin in fix.origins:
            taken[origin] = None if moves else (taken.get(origin) or set()) | paths
    return out


def _say_left(left: tuple[NotDone, ...]) -> None:
    for item in left:
        place = f"{item.place}: " if item.place else ""
        print(f"meshcheck: {place}{item.change.object} is not mended: {item.reason}", file=sys.stderr)
