"""Calico's selectors and policies give the answers of Calico's own code, on random selectors and worlds."""

from __future__ import annotations

import json
import os
import random
from typing import Any

import pytest

from meshcheck.decode.calico_selectors import parse_selector
from tests.differential.calico.program import ask_calico
from tests.differential.calico.worlds import ASKED_PORTS, OUTSIDE, PROTOCOLS, broken, labels, selector, world
from tests.support.batch import ask

SELECTORS = int(os.environ.get("MESHCHECK_CALICO_SELECTORS", "4000"))
WORLDS = int(os.environ.get("MESHCHECK_CALICO_WORLDS", "120"))
SEED = int(os.environ.get("MESHCHECK_CALICO_SEED", "1"))


def mine(text: str, all_labels: list[dict[str, str]]) -> dict[str, Any]:
    """What meshcheck says of a selector, as the program would say it."""
    try:
        found = parse_selector(text)
    except ValueError:
        return {"refused": ""}
    return {"holds": [found.holds(one.get) for one in all_labels]}


def test_selectors() -> None:
    """The same texts are selectors, and they mean the same labels."""
    rng = random.Random(SEED)
    asked = [((selector if n % 3 else broken)(rng), [labels(rng) for _ in range(8)]) for n in range(SELECTORS)]
    answers = ask_calico({"selector": text, "labels": given} for text, given in asked)
    wrong = []
    for (text, given), said in zip(asked, answers, strict=True):
        if mine(text, given) != ({"refused": ""} if "refused" in said else said):
            wrong.append((text, said, mine(text, given)))
    assert not wrong, f"{len(wrong)} of {len(asked)}: {wrong[:5]}"
    refused = sum("refused" in said for said in answers)
    assert refused > SELECTORS // 20, "nearly all texts were selectors: nothing was said about others"


def questions(objects: list[dict[str, Any]], rng: random.Random) -> list[dict[str, Any]]:
    """Calls between pods, and between pods and addresses outside: `source` and `destination` are addresses."""
    pods = [item["status"]["podIP"] for item in objects if item["kind"] == "Pod"]
    pairs = [(a, b) for a in (*pods, *OUTSIDE) for b in (*pods, *OUTSIDE) if a != b and (a in pods or b in pods)]
    return [
        {"source": a, "destination": b, "protocol": PROTOCOLS[protocol], "port": rng.choice(ASKED_PORTS), "name": protocol}
        for a, b in pairs
        for protocol in (("tcp", "udp", "sctp") if rng.random() < 0.3 else ("tcp",))
    ]


def end(address: str, objects: list[dict[str, Any]]) -> dict[str, Any]:
    """An end of a call as meshcheck is asked about it."""
    for item in objects:
        if item["kind"] == "Pod" and item["status"]["podIP"] == address:
            return {"namespace": item["metadata"]["namespace"], "pod": item["metadata"]["name"]}
    return {"ip": address}


@pytest.mark.parametrize("part", range(4))
def test_worlds(part: int) -> None:
    """Each direction of each call fares as Calico's code says; unknown is only what versions of Calico decide differently."""
    rng = random.Random(SEED * 1000 + part)
    worlds = [world(rng) for _ in range(WORLDS // 4)]
    asked = [questions(objects, rng) for objects in worlds]
    theirs = ask_calico({"objects": objects, "questions": asked[n]} for n, objects in enumerate(worlds))
    batch = []
    for n, objects in enumerate(worlds):
        text = "".join(f"---\n{json.dumps(item)}\n" for item in objects)
        mine = [
            {
                "id": str(k),
                "from": end(q["source"], objects),
                "to": {**end(q["destination"], objects), "port": q["port"]},
                "protocol": q["name"],
            }
            for k, q in enumerate(asked[n])
        ]
        batch.append({"id": str(n), "manifests": text, "closed_world": True, "questions": mine})
    traces = ask(batch, brief=False)
    wrong, compared, unknown = [], 0, 0
    for n, answer in enumerate(theirs):
        assert "answers" in answer, f"{answer} for {json.dumps(worlds[n])}"
        for k, said in enumerate(answer["answers"]):
            stations = [s for hop in traces[str(n), str(k)]["hops"] for s in hop["stations"] if s["station"] == "network-policy"]
            got = {s["summary"].partition(":")[0]: s for s in stations}
            for direction in ("egress", "ingress"):
                if direction.capitalize() not in said:
                    continue
                if direction not in got:  # nobody asks the server where the caller may not send
                    assert got["egress"]["verdict"] != "allowed", (n, k)
                    continue
                compared += 1
                station = got[direction]
                if station["verdict"] == "unknown":
                    unknown += 1
                    assert "goes first" in station["summary"], station["summary"]
                elif (station["verdict"] == "allowed") != said[direction.capitalize()]:
                    wrong.append((n, asked[n][k], direction, said, station["summary"]))
    assert not wrong, f"{len(wrong)} of {compared}: {wrong[:3]}\n{json.dumps(worlds[wrong[0][0]])}"
    assert compared > 20 * len(worlds)
    assert unknown < compared / 10
