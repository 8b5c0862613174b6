"""Start-up, reading and answering, as multiples of an empty Python. See README.md beside this file."""

from __future__ import annotations

import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import mesh

HERE = Path(__file__).resolve().parent
SCENARIO = HERE.parents[1] / "manifests" / "scenarios" / "method-not-allowed" / "manifests.yaml"
MESHCHECK = [str(Path(sys.executable).parent / "meshcheck")]
QUESTIONS = 10_000


def cpu(command: list[str], runs: int = 7) -> float:
    """Median seconds of CPU of a whole process, after one run to warm up; what else the machine does counts little.

    Python may write its bytecode, as pip does for who installs meshcheck: without, every module is compiled each time.
    """
    environment = {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}
    seconds = []
    for _ in range(runs + 1):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, env=environment)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(seconds[1:])


def batch(folder: Path, services: int, count: int) -> Path:
    """A batch of one world: calls along the chain and calls that nobody admits."""
    draw = random.Random(services)
    questions = []
    for n in range(count):
        callee = draw.randrange(services)
        caller = (callee - 1) % services if n % 2 else draw.randrange(services)
        (ns, name), (to_ns, to) = mesh.place(caller), mesh.place(callee)
        call = {"from": {"namespace": ns, "workload": name}, "to": {"url": f"http://{to}.{to_ns}/api/items/{n}"}}
        questions.append({"id": str(n), "method": draw.choice(["GET", "DELETE"]), **call})
    path = folder / f"questions-{count}.jsonl"
    path.write_text(json.dumps({"id": "mesh", "manifests": [str(folder / "mesh")], "closed_world": True, "questions": questions}) + "\n")
    return path


def main() -> None:
    """Print the table."""
    empty = cpu([sys.executable, "-c", "pass"], 15)
    print(f"empty Python          {empty * 1000:7.0f} ms")
    trace = ["trace", "-f", str(SCENARIO), "--from", "shop/frontend", "--to", "http://cart.shop/api/items"]
    rows = {"meshcheck --version": ["--version"], "meshcheck trace, small": trace, "the same, refused": [*trace, "-X", "DELETE"]}
    for label, command in rows.items():
        seconds = cpu(MESHCHECK + command, 15)
        print(f"{label:<22} {seconds * 1000:6.0f} ms  {seconds / empty:6.1f} x")
    for services in (100, 1000, 5000):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            mesh.write(folder / "mesh", services)
            size = sum(path.stat().st_size for path in (folder / "mesh").iterdir())
            runs = 3 if services < 5000 else 1
            built = cpu([*MESHCHECK, "trace", "--batch", str(batch(folder, services, 1)), "-o", "jsonl", "--brief"], runs)
            asked = cpu([*MESHCHECK, "trace", "--batch", str(batch(folder, services, QUESTIONS)), "-o", "jsonl", "--brief"], runs)
            rate = (QUESTIONS - 1) / (asked - built)
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
            reading = f"{services:>5} services, {size / 1e6:4.1f} MB: read and built {built:6.2f} s {built / empty:6.0f} x"
            print(f"{reading}; {rate:7.0f} brief questions/s; peak {peak:.0f} MiB")


if __name__ == "__main__":
    main()
