"""meshcheck and Cilium's own engine give the same verdicts on random policies of Cilium and of Kubernetes."""

from __future__ import annotations

import json
import os
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

from meshcheck.cli.world import build_world
from meshcheck.load.read import Reading
from meshcheck.semantics.network_policy import Endpoint, Side, evaluate
from meshcheck.semantics.network_policy.travelling import OTHER, Request
from meshcheck.semantics.tracing.network import endpoint, policy_set
from meshcheck.semantics.world import World
from tests.differential.cilium import worlds

PROGRAM = Path(os.environ.get("MESHCHECK_CILIUM") or Path(__file__).parent / "verdicts" / "verdicts")
WORLDS, FLOWS = int(os.environ.get("MESHCHECK_CILIUM_WORLDS") or 300), 40
needs_cilium = pytest.mark.skipif(
    not PROGRAM.exists(), reason=f"{PROGRAM} is not built: tests/differential/cilium/README.md says how (or set MESHCHECK_CILIUM)"
)


def flows(draw: random.Random) -> list[dict[str, Any]]:
    """Random flows with a pod at one end at least."""
    found = worlds.ends()
    pods = [item["id"] for item in found if "cidr" not in item]
    every = [item["id"] for item in found]
    out = []
    while len(out) < FLOWS:
        source, target = draw.choice(every), draw.choice(every)
        if source != target and (source in pods or target in pods):
            protocol = draw.choice(["TCP", "TCP", "UDP"])
            out.append({"from": source, "to": target, "protocol": protocol, "port": draw.choice([*worlds.PORTS, 9999])})
    return out


def ends_of(world: World) -> dict[int, Endpoint]:
    """The ends of flows as meshcheck has them, by the number that Cilium knows."""
    out = {}
    for number, (namespace, name) in enumerate(worlds.PODS):
        pod = world.find_pod(namespace, name)
        assert pod is not None
        out[1001 + number] = endpoint(world, pod, pod.addresses[0])
    return {**out, **{2001 + n: Endpoint(None, None, address, name=address) for n, address in enumerate(worlds.ADDRESSES)}}


@needs_cilium
def test_random_policies() -> None:
    """Each direction of each flow is allowed or denied alike; where no proxy looks at a connection, every request gets through."""
    draw = random.Random(7)
    asked = []
    for _ in range(WORLDS):
        policies = worlds.policies(draw)
        asked.append({"ends": worlds.ends(), "policies": policies, "flows": flows(draw)})
    text = "\n".join(map(json.dumps, asked)) + "\n"
    done = subprocess.run([str(PROGRAM)], input=text, capture_output=True, text=True, timeout=600, check=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(asked)
    wrong = [difference for world, answer in zip(asked, answers) for difference in differences(world, answer)]
    assert not wrong, f"{len(wrong)} differences; the first: {wrong[0]}"


def differences(asked: dict[str, Any], answer: dict[str, Any]) -> list[str]:
    """Flows that are decided otherwise, in words."""
    refused = {int(number): message for number, message in answer.get("errors", {}).items()}
    reading = Reading()
    kept = [policy for number, policy in enumerate(asked["policies"]) if number not in refused]
    reading.add_text("world.yaml", "\n---\n".join(map(json.dumps, [*worlds.manifests(), *kept])))
    world = build_world(reading, closed=True)
    if not any(policy["kind"].startswith("Cilium") for policy in kept):
        return []  # then nothing says that the plugin is Cilium
    known, out = ends_of(world), []
    for flow, verdicts in zip(asked["flows"], answer["verdicts"]):
        source, target = known[flow["from"]], known[flow["to"]]
        call = (policy_set(world), source, target, flow["protocol"], flow["port"])
        said: dict[str, Side] = {side.direction: side for side in evaluate(*call, explain=True)}
        inside = {side.direction: side for side in evaluate(*call, request=Request(OTHER))}
        for direction, verdict, end in (("egress", verdicts[0], source), ("ingress", verdicts[1], target)):
            if end.workload is None or verdict.startswith("error"):
                continue
            mine = said[direction].allowed
            free = verdict != "allowed" or inside[direction].allowed is True
            if mine is not (verdict != "denied") or not free:
                out.append(f"{direction} of {flow}: Cilium {verdict}, meshcheck {said[direction]}; {json.dumps(kept)}")
    return out


WEB = {"matchLabels": {"app": "web"}}
TCP = {"port": "80", "protocol": "TCP"}
HTTP = {"http": [{"method": "GET"}]}
IN_DOUBT: list[dict[str, Any]] = [
    {"ingress": [{"fromEndpoints": [WEB], "fromCIDR": ["10.0.0.0/8"]}]},
    {"ingress": [{"fromEntities": ["world"], "fromCIDRSet": [{"cidr": "10.0.0.0/8"}]}]},
    {"ingress": [{"fromEndpoints": [], "fromEntities": ["world"]}]},
    {"ingress": [{"fromEntities": ["everybody"]}]},
    {"ingress": [{"fromCIDRSet": [{}]}]},
    {"ingress": [{"fromCIDRSet": [{"cidr": "10.0.0.0/8", "except": ["11.0.0.0/16"]}]}]},
    {"ingress": [{"fromCIDR": ["10.0.0.0/40"]}]},
    {"ingress": [{"fromCIDR": ["10.0.0.5/8"]}]},
    {"ingress": [{"toPorts": [{"ports": [{"port": "80"}], "rules": HTTP}]}]},
    {"ingress": [{"toPorts": [{"ports": [{"port": "80", "protocol": "UDP"}], "rules": HTTP}]}]},
    {"ingress": [{"toPorts": [{"ports": [{"port": "0", "protocol": "TCP"}], "rules": HTTP}]}]},
    {"ingress": [{"toPorts": [{"ports": [TCP], "rules": HTTP}]}]},
    {"ingress": [{"toPorts": [{"ports": [TCP], "rules": {"dns": [{"matchPattern": "*"}]}}]}]},
    {"ingress": [{"toPorts": [{"ports": [TCP], "rules": {"http": [{"path": "("}]}}]}]},
    {"ingress": [{"toPorts": [{"ports": [{"port": "99999"}]}]}]},
    {"ingress": [{"toPorts": [{"ports": [{"port": "a-very-long-port-name"}]}]}]},
    {"ingress": [{"toPorts": [{"ports": [TCP]}], "icmps": [{"fields": [{"type": 8}]}]}]},
    {"egress": [{"toPorts": [{"ports": [{"port": "53"}], "rules": {"dns": [{"matchPattern": "*"}]}}]}]},
    {"egress": [{"toPorts": [{"ports": [TCP], "rules": {"dns": [{"matchPattern": "*"}], **HTTP}}]}]},
    {"egress": [{"toFQDNs": [{"matchName": "a.example.com", "matchPattern": "*"}]}]},
    {"egress": [{"toFQDNs": [{"matchName": "a.example.com"}], "toCIDR": ["192.0.2.1"]}]},
    {"egress": [{"toFQDNs": [{"matchName": "a_b.example.com"}]}]},
    {"egress": [{"toServices": [{"k8sService": {"serviceName": "api", "namespace": "shop"}}], "toPorts": [{"ports": [TCP]}]}]},
    {"egressDeny": [{"toEndpoints": [WEB], "toEntities": ["world"]}]},
    {"nodeSelector": {}, "endpointSelector": None, "ingress": [{}]},
]
"""What Cilium may refuse by itself, whatever its CRD says."""


@needs_cilium
def test_what_cilium_refuses() -> None:
    """A policy that Cilium leaves aside has a flaw here, or is refused; one that it takes has none."""
    meta = {"name": "p", "namespace": "shop"}
    policies = [
        {"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy", "metadata": meta, "spec": {"endpointSelector": WEB, **spec}}
        for spec in IN_DOUBT
    ]
    policies[-1]["spec"] = {key: value for key, value in policies[-1]["spec"].items() if value is not None}  # type: ignore[attr-defined]
    text = "".join(json.dumps({"ends": worlds.ends(), "policies": [policy], "flows": []}) + "\n" for policy in policies)
    done = subprocess.run([str(PROGRAM)], input=text, capture_output=True, text=True, timeout=60, check=True)
    wrong = []
    for policy, line in zip(policies, done.stdout.splitlines()):
        errors = json.loads(line).get("errors", {})
        reading = Reading()
        reading.add_text("world.yaml", json.dumps(policy))
        inventory = build_world(reading, closed=True).inventory
        found = inventory.of("CiliumNetworkPolicy")
        flaw = found[0].specs[0].flaw if found else inventory.refused[0].message
        if bool(errors) != bool(flaw):
            wrong.append(f"{json.dumps(policy['spec'])}: Cilium {errors or 'takes it'}, meshcheck {flaw or 'takes it'}")
    assert not wrong, "\n".join(wrong)


def test_policies_are_drawn_that_both_can_read() -> None:
    """The generator is no toy: policies are decoded, few have flaws, and flows come out both ways."""
    draw, flawed, sides = random.Random(3), 0, []
    for _ in range(60):
        reading = Reading()
        reading.add_text("world.yaml", "\n---\n".join(map(json.dumps, [*worlds.manifests(), *worlds.policies(draw)])))
        world = build_world(reading, closed=True)
        found = policy_set(world).cilium
        assert found is not None
        assert not world.inventory.refused
        flawed += sum(1 for policy in found.policies for spec in policy.specs if spec.flaw)
        known = ends_of(world)
        for flow in flows(draw):
            sides += evaluate(policy_set(world), known[flow["from"]], known[flow["to"]], flow["protocol"], flow["port"])
    assert flawed == 0
    assert len([s for s in sides if s.allowed]) > 400
    assert len([s for s in sides if s.allowed is False]) > 400
