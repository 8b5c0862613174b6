"""The command line that run_sidecar.py and run_gateway.py share: worlds out of seeds, and their real answers."""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.oracle.errors import OracleError
from tests.oracle.istiod import find_istiod

Json = dict[str, Any]
Run = Callable[[Sequence[Json], str], tuple[list[Json], "Counter[str]"]]


def generate(about: str, case: Callable[[int], Json], run: Run) -> None:
    """Write cases.jsonl.gz and expected.jsonl.gz for a range of seeds, and print how often each verdict came."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("first", type=int, help="first seed")
    parser.add_argument("last", type=int, help="seed to stop before")
    parser.add_argument("out", type=Path, help="folder to write to")
    parser.add_argument("--istiod", help="the Go program (default: $MESHCHECK_ISTIOD, or where it is built)")
    parser.add_argument("--batch", type=int, default=60, help="worlds in one Envoy")
    options = parser.parse_args()
    try:
        _generate(options, find_istiod(options.istiod), case, run)
    except OracleError as error:
        sys.exit(f"oracle: {error}")


def _generate(options: argparse.Namespace, binary: str, case: Callable[[int], Json], run: Run) -> None:
    options.out.mkdir(parents=True, exist_ok=True)
    tally: Counter[tuple[str, str | None, int | None]] = Counter()
    lost: Counter[str] = Counter()
    with (
        gzip.open(options.out / "cases.jsonl.gz", "wt", compresslevel=9) as cases,
        gzip.open(options.out / "expected.jsonl.gz", "wt", compresslevel=9) as answers,
    ):
        for start in range(options.first, options.last, options.batch):
            worlds = [case(seed) for seed in range(start, min(start + options.batch, options.last))]
            rows, gone = run(worlds, binary)
            lost += gone
            kept = {row["id"] for row in rows}
            cases.writelines(json.dumps(world) + "\n" for world in worlds if world["id"] in kept)
            for row in rows:
                answers.write(json.dumps(row) + "\n")
                symptom = row.get("symptom") or {}
                tally[row["verdict"], symptom.get("kind"), symptom.get("status")] += 1
            print(f"{start}: {sum(tally.values())} answers, lost {dict(lost)}", file=sys.stderr)
    verdicts = {" ".join(str(x) for x in key if x is not None): n for key, n in sorted(tally.items(), key=str)}
    print(json.dumps({"questions": sum(tally.values()), "verdicts": verdicts, "lost": dict(lost)}))
