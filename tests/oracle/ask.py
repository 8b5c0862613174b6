#!/usr/bin/env python3
"""Ask real programs the questions of a file of worlds, and print what they answer.

usage: python -m tests.oracle.ask FILE [--istiod PROGRAM] [--question ID] [--compare]

FILE holds worlds in the form that `meshcheck trace --batch` reads (one JSON object a line, packed or not), or one
world as JSON or YAML; `manifests` is text, or a list of paths. Two kinds of question can be asked:
  at a sidecar   `to: {namespace, workload, port}`, `from` with `mtls: true` or `plaintext: true`
  at a gateway   `to: {url, via: {namespace, name, port}}` (every question of the world the same gateway)
`source_ip` must be an address in 127.0.0.0/8. `claims` are signed, and every RequestAuthentication of the world then
trusts the key. With --compare meshcheck is asked, too: a line says what it gets wrong, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from pathlib import Path
from typing import Any

import yaml

from tests.oracle import run_gateway, run_sidecar
from tests.oracle.errors import OracleError
from tests.oracle.istiod import find_istiod

Json = dict[str, Any]


def read_worlds(path: Path) -> list[Json]:
    """The worlds of a file, with manifests read from where they are."""
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    text = raw.decode()
    try:
        lines = [json.loads(line) for line in text.splitlines() if line.strip()]
    except ValueError:
        try:
            lines = [yaml.safe_load(text)]
        except yaml.YAMLError as error:
            raise OracleError(f"{path}: neither JSON Lines nor one YAML document: {error}") from None
    worlds = []
    for n, line in enumerate(lines):
        if not isinstance(line, dict) or "manifests" not in line or not line.get("questions"):
            raise OracleError(f"{path}: a world needs `manifests` and `questions`")
        manifests = line["manifests"]
        if isinstance(manifests, list):
            manifests = "\n---\n".join((path.parent / name).read_text() for name in manifests)
        questions = [{"id": f"q{k}", **q} for k, q in enumerate(line["questions"], 1)]
        worlds.append({"id": f"world-{n}", **line, "manifests": manifests, "questions": questions})
    return worlds


def ask(worlds: list[Json], binary: str) -> list[Json]:
    """The real answers, world by world. Raises OracleError when one could not be had."""
    rows: list[Json] = []
    for chosen, runner in ((_at_sidecar, run_sidecar), (_at_gateway, run_gateway)):
        if part := [w for w in worlds if chosen(w)]:
            answers, lost = runner.run(part, binary)
            if lost:
                raise OracleError("; ".join(lost))
            rows += answers
    return rows


def _at_gateway(world: Json) -> bool:
    return any("via" in q["to"] for q in world["questions"])


def _at_sidecar(world: Json) -> bool:
    return not _at_gateway(world)


def main() -> int:
    """Print one line of JSON for each answer."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--istiod", help="the Go program (default: $MESHCHECK_ISTIOD, or where it is built)")
    parser.add_argument("--question", help="ask only this one")
    parser.add_argument("--compare", action="store_true", help="ask meshcheck, too")
    options = parser.parse_args()
    try:
        worlds = read_worlds(options.file)
        if options.question:
            worlds = [{**w, "questions": [q for q in w["questions"] if q["id"] == options.question]} for w in worlds]
            worlds = [w for w in worlds if w["questions"]]
        if not worlds:
            raise OracleError(f"{options.file}: no such question")
        rows = ask(worlds, find_istiod(options.istiod))
    except (OracleError, OSError) as error:
        print(f"oracle: {error}", file=sys.stderr)
        return 2
    wrong = _disagreements(worlds, rows) if options.compare else {}
    for row in rows:
        print(json.dumps({**row, **({"meshcheck": said} if (said := wrong.get((row["id"], row["question"]))) else {})}))
    return 1 if wrong else 0


def _disagreements(worlds: list[Json], rows: list[Json]) -> dict[tuple[str, str], str]:
    from tests.support.batch import ask as ask_meshcheck
    from tests.support.compare import difference

    traces = ask_meshcheck(worlds)
    said = {(row["id"], row["question"]): difference(traces.get((row["id"], row["question"])), row) for row in rows}
    return {key: value for key, value in said.items() if value}


if __name__ == "__main__":
    sys.exit(main())
