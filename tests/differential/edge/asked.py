"""A few worlds as a test: the run of a controller in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.differential.edge import sandbox
from tests.support import apiserver


def summary(controller: str, missing: str | None, worlds: int, calls: int, seed: int) -> dict[str, Any]:
    """The figures of a run; skips the test, loudly, where something that it needs is missing."""
    why = missing or apiserver.available() or sandbox.why_not()
    if why is not None:
        pytest.skip(f"LOUD: meshcheck is not compared with a real {controller}: {why}")
    module = f"tests.differential.{controller}.run"
    command = [sys.executable, "-m", module, "--json", "--worlds", str(worlds), "--calls", str(calls), "--seed", str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=500)
    lines = done.stdout.strip().splitlines()
    assert done.returncode in (0, 1), f"{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
    assert lines, done.stderr[-3000:]
    figures: dict[str, Any] = json.loads(lines[-1])
    return figures
