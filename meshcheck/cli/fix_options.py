"""`trace --fix`, `--diff` and `--patch-format`."""

from __future__ import annotations

import argparse

FORMATS = ("diff", "yaml", "json", "kubectl")


def add_fix_options(parser: argparse.ArgumentParser) -> None:
    """Give `trace` the options about fixes."""
    group = parser.add_argument_group("fixes")
    group.add_argument(
        "--fix",
        metavar="N",
        nargs="?",
        type=int,
        const=1,
        help="write the first fix into the files, or the N-th; comments and layout stay (exit status 0 when it is written)",
    )
    group.add_argument(
        "--diff",
        action="store_true",
        help="only show what `--fix` would write, as a diff for `git apply` (on standard error beside `-o json`)",
    )
    group.add_argument(
        "--patch-format",
        choices=FORMATS,
        default="diff",
        help="how the patch of a fix is shown: as a change of the file, as JSON Patch (yaml, json), or as `kubectl patch` commands",
    )
