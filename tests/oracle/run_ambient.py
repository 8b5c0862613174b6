#!/usr/bin/env python3
"""Verdicts of a real istiod and a real ztunnel.

usage: python -m tests.oracle.run_ambient FIRST LAST OUT [--istiod PROGRAM] [--batch 60]

Generates the worlds FIRST..LAST-1 (gen_ambient.py), asks Istio's control-plane code what it sends to ztunnel, and ztunnel's own code
(ztunnel/build.sh; MESHCHECK_ZTUNNEL names the program) where it sends each call and what its authorization says to it. A call that goes
to a waypoint gets on from there with the waypoint's identity; nothing refuses it there. Writes OUT/cases.jsonl.gz and
OUT/expected.jsonl.gz.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from tests.oracle.errors import OracleError
from tests.oracle.gen_ambient import CAPTURED, IPS, SERVICES, WAYPOINTS, case
from tests.oracle.generate import generate
from tests.oracle.istiod import configurations, refused_objects
from tests.oracle.world import documents

Json = dict[str, Any]

VARIABLE = "MESHCHECK_ZTUNNEL"
_BY_IP = {ip: name for name, ip in IPS.items()}
_WAYPOINT_AT = {ip: name for name, ip in WAYPOINTS.items()}


class _Way(NamedTuple):
    """A call as it gets to a captured pod: what ztunnel's authorization is asked."""

    source: str
    identity: str | None
    target: str


def run(worlds: Sequence[Json], binary: str) -> tuple[list[Json], Counter[str]]:
    """The real answer to every question, in order, and what could not be asked."""
    os.environ["PILOT_ENABLE_AMBIENT"] = "true"
    configured = configurations(binary, [{"id": w["id"], "manifests": w["manifests"], "mesh_config": "", "proxies": []} for w in worlds])
    lost = Counter(f"istiod: {c['error'][:80]}" for c in configured.values() if c.get("error"))
    asked = [w for w in worlds if not configured[w["id"]].get("error")]
    routed = _ztunnel([{**_state(configured[w["id"]], w), "routes": [_route(q) for q in w["questions"]]} for w in asked])
    rows: list[Json] = []
    waiting: list[tuple[Json, _Way]] = []
    for w in asked:
        captured = _captured(w)
        refused = refused_objects(configured[w["id"]])
        for q, found in zip(w["questions"], routed[w["id"]]["routes"]):
            row = {"id": w["id"], "question": q["id"], **({"refused_objects": refused} if refused else {})}
            way = _arriving(q, found, captured, row)
            if isinstance(way, _Way):
                waiting.append((row, way))
            if way is not None:
                rows.append(row)
            else:
                lost["a tunnel to a pod that takes none"] += 1
    _judge(asked, configured, waiting)
    return rows, lost


def _state(configuration: Json, world: Json) -> Json:
    return {"id": world["id"], "addresses": configuration.get("addresses") or [], "policies": configuration.get("policies") or []}


def _captured(world: Json) -> set[str]:
    pods = [d for d in documents(world["manifests"]) if d["kind"] == "Pod"]
    named = {f"{d['metadata']['namespace']}/{d['metadata']['name']}": d["metadata"].get("annotations") or {} for d in pods}
    return {name for name, notes in named.items() if notes.get(CAPTURED) == "enabled"}


def _target(question: Json) -> tuple[str, int, bool]:
    """(workload, port, whether it is called by the address of its Service)."""
    to = question["to"]
    if "pod" in to:
        return f"{to['namespace']}/{to['pod']}", to["port"], False
    host, _, port = to["url"].removeprefix("tcp://").partition(":")
    name, _, namespace = host.partition(".")
    return f"{namespace}/{name}", int(port), True


def _route(question: Json) -> Json:
    name, port, by_service = _target(question)
    caller = question["from"]
    return {"from": IPS[f"{caller['namespace']}/{caller['workload']}"], "to": f"{SERVICES[name] if by_service else IPS[name]}:{port}"}


def _arriving(question: Json, found: Json, captured: set[str], row: Json) -> _Way | bool | None:
    """What ztunnel is asked about a call; True where the row is complete already, None where nobody can say how it ends."""
    caller = f"{question['from']['namespace']}/{question['from']['workload']}"
    name, port, by_service = _target(question)
    source, identity, arrives = IPS[caller], None, f"{IPS[name]}:{8080 if by_service else port}"
    if caller not in captured:
        if by_service and port != 80:
            row |= {"verdict": "denied"}
            return True
    else:
        if found["error"]:
            row |= {"verdict": "denied", "symptom": {"kind": "reset", "status": None}, "details": found["error"]}
            return True
        identity = _spiffe(caller) if found["protocol"] == "HBONE" else None
        waypoint = _WAYPOINT_AT.get(found["destination"].rpartition(":")[0])
        if waypoint is not None:
            row["via"] = waypoint
            source, identity = WAYPOINTS[waypoint], _spiffe(waypoint)
            if by_service and port != 80:
                row |= {"verdict": "denied", "symptom": {"kind": "reset", "status": None}}
                return True
            if name not in captured and not by_service:
                return None
        else:
            arrives = found["hbone"] or found["destination"]
    if _BY_IP.get(arrives.rpartition(":")[0]) not in captured:
        row |= {"verdict": "allowed"}
        return True
    return _Way(f"{source}:34567", identity, arrives)


def _spiffe(name: str) -> str:
    namespace, _, account = name.partition("/")
    return f"spiffe://cluster.local/ns/{namespace}/sa/{account}"


def _judge(asked: Sequence[Json], configured: dict[str, Json], waiting: Sequence[tuple[Json, _Way]]) -> None:
    by_world: dict[str, list[tuple[Json, _Way]]] = {}
    for row, way in waiting:
        by_world.setdefault(row["id"], []).append((row, way))
    lines = [
        {
            **_state(configured[w["id"]], w),
            "rbac": [{"src": y.source, "identity": y.identity, "dst": y.target} for _, y in by_world[w["id"]]],
        }
        for w in asked
        if w["id"] in by_world
    ]
    answers = _ztunnel(lines)
    for world, found in by_world.items():
        for (row, _), said in zip(found, answers[world]["rbac"]):
            reset = {"symptom": {"kind": "reset", "status": None}, "details": said}
            row |= {"verdict": "allowed"} if said == "allowed" else {"verdict": "denied", **reset}


def _ztunnel(lines: Sequence[Json]) -> dict[str, Json]:
    program = os.environ.get(VARIABLE)
    if not program:
        raise OracleError(f"{VARIABLE} names no program; build it with tests/oracle/ztunnel/build.sh")
    done = subprocess.run(
        [program], check=False, input="".join(json.dumps(line) + "\n" for line in lines), capture_output=True, text=True,
        env={**os.environ, "RUST_LOG": "off"}, timeout=60 + len(lines),
    )  # fmt: skip
    if done.returncode:
        raise OracleError(f"ztunnel failed: {done.stderr[:2000]}")
    return {(row := json.loads(line))["id"]: row for line in done.stdout.splitlines() if line.startswith('{"id"')}


def main() -> None:
    """Generate worlds and write them with their real answers."""
    generate(__doc__ or "", case, run)


if __name__ == "__main__":
    main()
