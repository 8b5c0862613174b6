"""`diff` of network policies finds each change that netpol-analyzer's stored expectations have, and no other."""

from __future__ import annotations

import json
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest

from meshcheck.analyse.connections import NONE, Connections, End, changes
from meshcheck.cli.world import build_world
from meshcheck.load.read import Reading
from meshcheck.semantics.world import World

SUITE = Path(__file__).resolve().parents[3] / "shared/vectors/npguard-diff"
CASES = sorted(folder for folder in SUITE.iterdir() if folder.is_dir()) if SUITE.is_dir() else []


@pytest.mark.skipif(not CASES, reason=f"LOUD: no folder {SUITE}: the suite `npguard-diff` was NOT run")
@pytest.mark.parametrize("case", CASES, ids=lambda folder: folder.name)
def test_all_changes_are_found(case: Path) -> None:
    """Pair by pair: the kind of the change, and the ports before and after."""
    checks = json.loads((case / "checks.json").read_text())
    wanted = {(row["from"], row["to"]): (row["type"], row["old"], row["new"]) for row in checks["changes"]}
    found: dict[tuple[str, str], tuple[str, Any, Any]] = {}
    for change in changes(_world(case / "old.yaml"), _world(case / "new.yaml")):
        source, target = _name(change.source, checks), _name(change.target, checks)
        if source is None or target is None:
            continue  # addresses without samples are not part of the expectations
        row = change.kind, _ports(change.old), _ports(change.new)
        assert found.setdefault((source, target), row) == row, "addresses that behave alike fare differently"
    assert found == wanted


def _world(file: Path) -> World:
    reading = Reading()
    reading.add_text(file.name, file.read_text())
    return build_world(reading, closed=True)


def _name(end: End, checks: dict[str, Any]) -> str | None:
    """The suite's name of an end."""
    for name, given in checks["endpoints"].items():
        if "cidr" in given:
            if not end.namespace and any(ip_address(end.address) in ip_network(block) for block in given["cidr"]):
                return str(name)
        elif end.namespace == given["namespace"]:
            short = end.name.partition("/")[2]
            if end.name == given.get("workload") or short in given.get("pods", ()) or short == str(given.get("workload")).partition("/")[2]:
                return str(name)
    return None


def _ports(connections: Connections | None) -> dict[str, list[list[int]]]:
    return {protocol: [list(span) for span in spans] for protocol, spans in (connections or NONE).allowed.items()}
