#!/usr/bin/env python3
"""One statement about all pairs of a mesh, over all requests of its shape, in a small and in a large mesh.

usage: python tests/bench/assertions.py GEN_MESH [SERVICES …]        (100 1000)

GEN_MESH is the generator of meshes (`gen_mesh.py`). "Nobody deletes below /admin" is judged for every caller at every port of every Service
and pod, each with the requests that the mesh tells apart. Printed: pairs, kinds of requests, seconds of the whole command, pairs a second.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STATEMENT = """\
closedWorld: true
tests:
- {name: all pairs, from: workloads, to: any, methods: [DELETE], paths: ["/admin/*"], expect: denied}
"""


def measure(generator: str, services: int, folder: Path) -> None:
    """Make a mesh, judge the statement, and print what it took."""
    mesh, file = folder / str(services), folder / "all.meshcheck.yaml"
    file.write_text(STATEMENT)
    subprocess.run([sys.executable, generator, str(mesh), "--services", str(services)], check=True, stdout=subprocess.DEVNULL)
    start = time.monotonic()
    command = [sys.executable, "-m", "meshcheck", "test", str(file), "-f", str(mesh), "-o", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - start
    if done.returncode != 0:
        sys.exit(f"exit status {done.returncode}: {(done.stderr or done.stdout)[-500:]}")
    (row,) = json.loads(done.stdout)["tests"]
    rate = row["pairs"] / seconds
    print(f"{services:>6} services: {row['pairs']:>9,} pairs, {row['kinds']:>8,} kinds, {seconds:7.1f} s, {rate:>9,.0f} pairs a second")


def main() -> None:
    """Measure each size."""
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        for services in map(int, sys.argv[2:] or ["100", "1000"]):
            measure(sys.argv[1], services, Path(folder))


if __name__ == "__main__":
    main()
