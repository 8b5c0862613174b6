"""Callers that Cilium's policies cannot tell apart are put together in differences and assertions: they fare alike, whatever is asked."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Hashable

from meshcheck.analyse.wires import Wires
from meshcheck.cli.world import build_world
from meshcheck.load.read import Reading
from meshcheck.semantics.network_policy import evaluate
from meshcheck.semantics.network_policy.travelling import HTTP, Request
from meshcheck.semantics.tracing import network
from tests.differential.cilium import worlds

ASKED = [(protocol, port, method) for protocol in ("TCP", "UDP") for port in (*worlds.PORTS, 9999) for method in ("GET", "POST")]


def test_equal_keys_are_equal_answers() -> None:
    """In random worlds, callers with one key have one outcome on each port, for each method."""
    draw, grouped = random.Random(5), 0
    for _ in range(60):
        reading = Reading()
        reading.add_text("world.yaml", "\n---\n".join(map(json.dumps, [*worlds.manifests(), *worlds.policies(draw)])))
        world = build_world(reading, closed=True)
        wires, ends = Wires(world), {id(w): network.endpoint(world, w, w.addresses[0]) for w in world.workloads}
        for target in world.workloads:
            groups: dict[Hashable, list[tuple[tuple[str, bool | None], ...]]] = defaultdict(list)
            for source in world.workloads:
                key = wires.key(source, target) if source is not target else None
                if key is not None:
                    call = (network.policy_set(world), ends[id(source)], ends[id(target)])
                    sides = [evaluate(*call, t, n, explain=False, request=Request(HTTP, m, "/a")) for t, n, m in ASKED]
                    groups[key].append(tuple((s.direction, s.allowed) for found in sides for s in found))
            for outcomes in groups.values():
                grouped += len(outcomes) > 1
                assert len(set(outcomes)) == 1
    assert grouped > 30
