#!/usr/bin/env python3
"""Verdicts of a real istiod and a real Envoy for calls from outside through an ingress gateway.

usage: python -m tests.oracle.run_gateway FIRST LAST OUT [--istiod PROGRAM] [--batch 60]

As run_sidecar.py, with the listeners and routes that istiod sends to the gateway. Backends that have pods answer 200;
those without have no endpoints. The gateway listens on the ports that its pods would listen on.
"""

from __future__ import annotations

import asyncio
import copy
import random
import re
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.oracle import envoy, gen_gateway
from tests.oracle.calls import Application, Call, Result, client_contexts
from tests.oracle.errors import OracleError
from tests.oracle.gateway_api import with_defaults
from tests.oracle.gen_sidecar import ISSUERS
from tests.oracle.generate import generate
from tests.oracle.istiod import configurations, refused_objects
from tests.oracle.pki import Pki
from tests.oracle.tokens import Jwt
from tests.oracle.world import Workload, documents, mesh_config, trust_domain, with_own_tokens, workload, workloads

Json = dict[str, Any]


def _port(service: Json, number: int) -> int:
    """The pod's port behind a Service's port."""
    for p in service["spec"]["ports"]:
        if p["port"] == number:
            return int(p.get("targetPort", number))
    raise OracleError(f"Service {service['metadata']['name']} has no port {number}")


@dataclass(frozen=True)
class _World:
    """A world, the gateway that its calls enter through, and what controllers would have made of it."""

    line: Json
    docs: list[Json]
    gateway: Workload
    service: Json
    address: str

    @classmethod
    def of(cls, line: Json, address: str) -> _World:
        line = with_own_tokens(line)
        entries = {(v["namespace"], v["name"]) for q in line["questions"] if (v := q["to"].get("via"))}
        if len(entries) != 1 or not all("via" in q["to"] and "url" in q["to"] for q in line["questions"]):
            raise OracleError(f"world {line['id']}: every question must have `to.url`, and the same gateway Service in `to.via`")
        namespace, name = entries.pop()
        docs = documents(line["manifests"])
        service = next(
            (d for d in docs if d["kind"] == "Service" and (d["metadata"].get("namespace"), d["metadata"]["name"]) == (namespace, name)),
            None,
        )
        if service is None:
            raise OracleError(f"world {line['id']}: no Service `{namespace}/{name}`")
        return cls(line, docs, workload(docs, namespace, name), service, address)

    def case(self) -> Json:
        made = "".join(w.pod() + _endpoints(w, self.docs) for w in workloads(self.docs))
        return {
            "id": self.line["id"],
            "manifests": with_defaults(self.line["manifests"]) + made,
            "mesh_config": mesh_config(self.line),
            "proxies": [self.gateway.proxy("router")],
        }


def _endpoints(pod: Workload, docs: list[Json]) -> str:
    """The EndpointSlices of the Services that select a pod."""
    out = ""
    for service in (d for d in docs if d["kind"] == "Service"):
        selector = service["spec"].get("selector")
        if service["metadata"].get("namespace") != pod.namespace or not selector or not selector.items() <= pod.labels.items():
            continue
        name = service["metadata"]["name"]
        ports = [
            {"name": p.get("name", ""), "port": int(p.get("targetPort", p["port"])), "protocol": "TCP"} for p in service["spec"]["ports"]
        ]
        target = {"kind": "Pod", "name": pod.id, "namespace": pod.namespace}
        document = {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {"name": f"{name}-{pod.id}", "namespace": pod.namespace, "labels": {"kubernetes.io/service-name": name}},
            "addressType": "IPv4",
            "ports": ports,
            "endpoints": [{"addresses": [pod.ip], "conditions": {"ready": True}, "nodeName": "n1", "targetRef": target}],
        }
        out += "\n---\n" + yaml.safe_dump(document, sort_keys=False)
    return out


def _adapted(listener: Json, routes: dict[str, Json], name: str, address: str, files: envoy.Files) -> Json:
    """A gateway's listener, with its routes in place, on an address of its own."""
    out = copy.deepcopy(listener)
    for place in ("filter_chains", "default_filter_chain"):
        if place in out:
            out[place] = [_routed(c, routes, files) for c in out[place]] if place == "filter_chains" else _routed(out[place], routes, files)
    port = out["address"]["socket_address"]["port_value"]
    for key in ("additional_addresses", "bind_to_port", "enable_reuse_port"):
        out.pop(key, None)
    return {
        **out,
        "name": f"{name}-{port}",
        "address": {"socket_address": {"address": address, "port_value": port}},
        "access_log": envoy.access_log(files.log),
    }


def _routed(chain: Json, routes: dict[str, Json], files: envoy.Files) -> Json:
    out = envoy.adapted_chain(chain, files)
    for network_filter in out["filters"]:
        config = network_filter.get("typed_config", {})
        if rds := config.pop("rds", None):
            config["route_config"] = routes[rds["route_config_name"]]
    return out


def _expected(case: str, question: str, got: Result, line: Json) -> Json:
    row: Json = {"id": case, "question": question}
    if got.kind in ("reset", "timeout", "refused"):
        return {**row, "verdict": "denied", "symptom": {"kind": got.kind, "status": None}}
    details, policy = line.get("details"), envoy.policy_of(line.get("details"))
    if got.from_workload:
        cluster = (line.get("cluster") or "").split("|")
        name, namespace = cluster[3].split(".")[:2] if len(cluster) == 4 else (None, None)
        row |= {"verdict": "allowed", "reached": {"namespace": namespace, "service": name, "port": int(cluster[1])}}
    else:
        symptom: Json = {"kind": "http", "status": got.status, "body": got.body}
        if location := got.headers.get("location"):
            row["location"] = location
            symptom["headers"] = {"location": location}
        row |= {"verdict": "denied" if got.status >= 400 else "allowed", "symptom": symptom}
    row["details"] = details
    if line.get("route"):
        row["route"] = line["route"]
    if cors := {k: v for k, v in got.headers.items() if k.startswith("access-control-")}:
        row["cors"] = cors
    return {**row, "policy_id": policy} if policy else row


def run(worlds: Sequence[Json], binary: str) -> tuple[list[Json], Counter[str]]:
    """The real answer to every question, in order, and what could not be asked."""
    block = random.randrange(60, 120)  # two oracles at once would share a fixed one
    asked = [_World.of(line, f"127.{block}.{n // 200}.{n % 200 + 1}") for n, line in enumerate(worlds)]
    configured = configurations(binary, [w.case() for w in asked])
    lost = Counter(f"istiod: {c['error'][:80]}" for c in configured.values() if c.get("error"))
    with tempfile.TemporaryDirectory(prefix="oracle-") as scratch:
        results, log = _run(Path(scratch), asked, configured)
    rows = []
    for w in asked:
        refused = refused_objects(configured[w.line["id"]])
        for q in w.line["questions"]:
            key = f"{w.line['id']}/{q['id']}"
            if key in results:
                row = _expected(w.line["id"], q["id"], results[key], log.by_id.get(key, {}))
                rows.append({**row, **({"refused_objects": refused} if refused else {})})
    return rows, lost


def _run(folder: Path, asked: list[_World], configured: dict[str, Json]) -> tuple[dict[str, Result], envoy.Log]:
    pki, log = Pki(folder), folder / "access.log"
    log.touch()
    application = Application()
    context = client_contexts(pki)
    listeners: list[Json] = []
    calls: list[Call] = []
    results: dict[str, Result] = {}
    real: set[str] = set()
    alive: set[str] = set()
    for w in asked:
        if configured[w.line["id"]].get("error"):
            continue
        proxy = configured[w.line["id"]]["proxies"][w.gateway.id]
        files = envoy.Files(pki.issue(f"spiffe://{trust_domain(w.line)}/{w.gateway.identity}"), str(pki.ca_file), str(log))
        routes = {r["name"]: r for r in proxy["routes"]}
        real |= {c["name"] for c in proxy["clusters"]}
        alive |= {e["cluster_name"] for e in proxy["endpoints"] if any(x.get("lb_endpoints") for x in e.get("endpoints", []))}
        wanted = {_port(w.service, q["to"]["via"]["port"]) for q in w.line["questions"]}
        mine = [_adapted(x, routes, w.line["id"], w.address, files) for x in proxy["listeners"] if x["address"].get("socket_address")]
        mine = [x for x in mine if x["address"]["socket_address"]["port_value"] in wanted]
        listeners += mine
        listening = {x["address"]["socket_address"]["port_value"] for x in mine}
        for q in w.line["questions"]:
            key, port = f"{w.line['id']}/{q['id']}", _port(w.service, q["to"]["via"]["port"])
            if port not in listening:
                results[key] = Result("refused")
                continue
            scheme, host, path = re.fullmatch(r"(\w+)://([^/?#]+)(.*)", q["to"]["url"]).groups()  # type: ignore[union-attr]
            calls.append(
                Call(
                    question={"host": host, **q, "id": key},
                    address=w.address,
                    port=port,
                    source=q.get("source_ip") or "127.0.0.1",
                    path=path or "/",
                    tls=context(None, ("http/1.1",)) if scheme == "https" else None,
                )
            )
    used = envoy.clusters_in(listeners) & real
    clusters = [envoy.static_cluster(c, application.port if c in alive else None) for c in sorted(used)]
    try:
        with envoy.Envoy(folder, listeners, clusters):
            results |= asyncio.run(application.ask(calls))
    finally:
        application.close()
    return results, envoy.read_log(log)


def main() -> None:
    """Generate worlds and write them with their real answers."""
    jwt = Jwt(ISSUERS)
    generate(__doc__ or "", lambda seed: gen_gateway.case(seed, jwt), run)


if __name__ == "__main__":
    main()
