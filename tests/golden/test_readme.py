"""What README.md shows is what meshcheck prints."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_sample_is_the_output_of_its_command() -> None:
    """The first console block: its command, run in the root of the repository, prints what stands below it."""
    block = (ROOT / "README.md").read_text(encoding="utf-8").partition("```console\n")[2].partition("```")[0]
    command, _, shown = block.partition("\n")
    words = shlex.split(command.removeprefix("$ meshcheck "))
    done = subprocess.run([sys.executable, "-m", "meshcheck", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert done.stdout.strip() == shown.strip()


def test_the_statements_are_judged_as_shown() -> None:
    """The text block of `meshcheck test` is what it prints."""
    block = (ROOT / "README.md").read_text(encoding="utf-8").partition("```text\n$ meshcheck test ")[2].partition("```")[0]
    words, _, shown = block.partition("\n")
    done = subprocess.run([sys.executable, "-m", "meshcheck", "test", words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert done.stdout.strip() == shown.strip()
