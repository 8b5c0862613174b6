"""The worked examples of network policies, asked as anybody would ask them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.batch import ask

TEXT = (Path(__file__).parent / "network_policy_examples.yaml").read_text()
WORLD, *EXAMPLES = list(yaml.safe_load_all(TEXT))
NAMES = [line.removeprefix("# EX ") for line in TEXT.splitlines() if line.startswith("# EX ")]
VERDICTS = {
    "allow": "allowed",
    "drop-e": "denied egress",
    "drop-i": "denied ingress",
    "drop-ei": "denied egress ingress",
    "unknown": "unknown",
}


def manifests(example: dict[str, Any]) -> str:
    """The world of all examples, and the policies of one."""
    out: list[dict[str, Any]] = []

    def add(api: str, kind: str, name: str, namespace: str | None = None, labels: dict[str, str] | None = None, **rest: Any) -> None:
        meta = {"name": name, **({"namespace": namespace} if namespace else {}), **({"labels": labels} if labels else {})}
        out.append({"apiVersion": api, "kind": kind, "metadata": meta, **rest})

    for name, labels in WORLD["namespaces"].items():
        add("v1", "Namespace", name, labels=labels)
    for name, node in WORLD["nodes"].items():
        add("v1", "Node", name, labels=node["labels"], status={"addresses": [{"type": "InternalIP", "address": node["ip"]}]})
    for full, pod in {**WORLD["pods"], **example.get("pods", {})}.items():
        namespace, name = full.split("/")
        ports = [
            {"name": port, "protocol": text.split("/")[0], "containerPort": int(text.split("/")[1])}
            for port, text in pod.get("ports", {}).items()
        ]
        containers = [{"name": "c", "image": "i", **({"ports": ports} if ports else {})}]
        spec = {"containers": containers, **({"hostNetwork": True} if pod.get("host") else {})}
        add("v1", "Pod", name, namespace, pod["labels"], spec=spec, status={"podIP": pod["ip"]})
    for full, service in WORLD["services"].items():
        namespace, name = full.split("/")
        ports, selector = [], None
        for n, (port, backend) in enumerate(service["ports"].items()):
            pod, _, target = backend.rpartition(":")
            selector = WORLD["pods"].get(pod, {}).get("labels")
            ports.append({"name": f"p{n}", "protocol": port.split("/")[0], "port": int(port.split("/")[1]), "targetPort": int(target)})
        add(
            "v1",
            "Service",
            name,
            namespace,
            spec={"clusterIP": service["clusterIP"], "ports": ports, **({"selector": selector} if selector else {})},
        )
        if not selector:
            address, _, target = next(iter(service["ports"].values())).rpartition(":")
            slice_labels = {"kubernetes.io/service-name": name}
            endpoint = [{"addresses": [address]}]
            ports = [{"name": "p0", "port": int(target), "protocol": "TCP"}]
            add("discovery.k8s.io/v1", "EndpointSlice", name, namespace, slice_labels, addressType="IPv4", endpoints=endpoint, ports=ports)
    for full, spec in example.get("np", {}).items():
        add("networking.k8s.io/v1", "NetworkPolicy", full.split("/")[1], full.split("/")[0], spec=spec)
    for name, spec in example.get("anp", {}).items():
        add("policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy", name, spec=spec)
    if "banp" in example:
        add("policy.networking.k8s.io/v1alpha1", "BaselineAdminNetworkPolicy", "default", spec=example["banp"])
    for name, spec in example.get("cnp", {}).items():
        add("policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy", name, spec=spec)
    return "---\n".join(json.dumps(item) + "\n" for item in out)


def end(text: str) -> dict[str, Any]:
    """A pod, or an address."""
    if "/" in text:
        namespace, pod = text.split("/")
        return {"namespace": namespace, "pod": pod}
    return {"ip": text}


def flows(example: dict[str, Any]) -> list[tuple[dict[str, Any], str, str]]:
    """(question, expected verdict, the line)."""
    out = []
    for line in example["flows"].splitlines():
        text = line.split("#")[0].strip()
        if not text:
            continue
        call, _, verdict = text.partition(" = ")
        source, _, rest = call.partition(" -> ")
        target, port = rest.rsplit(" ", 1)
        protocol, number = port.split("/")
        if target.startswith("svc:"):
            to = {
                "ip": WORLD["services"][target.removeprefix("svc:")]["clusterIP"],
                "port": int(number),
            }  # by address: DNS is another question
        else:
            to = {**end(target), "port": int(number)}
        out.append(({"id": text, "from": end(source), "to": to, "protocol": protocol.lower()}, verdict.strip(), text))
    return out


def said(trace: dict[str, Any]) -> str:
    """The verdict, and the directions that refuse."""
    stations = [s for hop in trace["hops"] for s in hop["stations"] if s["station"] == "network-policy"]
    denied = sorted({s["summary"].split(":")[0] for s in stations if s["verdict"] == "denied"})
    if denied:
        return " ".join(["denied", *denied])
    return "unknown" if any(s["verdict"] == "unknown" for s in stations) else "allowed"


@pytest.mark.parametrize("example", EXAMPLES, ids=NAMES)
def test_example(example: dict[str, Any]) -> None:
    asked = flows(example)
    world = {"id": "w", "manifests": manifests(example), "closed_world": True, "questions": [q for q, _, _ in asked]}
    traces = ask([world], brief=False)
    wrong = [f"{line}: got {got}" for q, verdict, line in asked if (got := said(traces["w", q["id"]])) != VERDICTS.get(verdict, verdict)]
    assert not wrong
