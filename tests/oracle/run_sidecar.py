#!/usr/bin/env python3
"""Verdicts of a real istiod and a real Envoy for the inbound side of sidecars.

usage: python -m tests.oracle.run_sidecar FIRST LAST OUT [--istiod PROGRAM] [--batch 60]

Generates the worlds FIRST..LAST-1 (gen_sidecar.py), asks Istio's control-plane code for the configuration of the
workload that each question calls, runs it in Envoy, asks each question once, and writes OUT/cases.jsonl.gz and
OUT/expected.jsonl.gz. What failed to run is left out and counted.

The listener `virtualInbound` that istiod sends becomes a listener on a loopback address of the workload's own, on the
ports that are called, so that conditions on ports and addresses see what they would see in a pod. Dropped is only the
listener filter `original_dst`: the connection's own address is the destination.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.oracle import envoy, gen_sidecar
from tests.oracle.calls import Application, Call, Result, client_contexts
from tests.oracle.errors import OracleError
from tests.oracle.generate import generate
from tests.oracle.istiod import configurations, refused_objects
from tests.oracle.pki import Pki
from tests.oracle.tokens import Jwt
from tests.oracle.world import Workload, documents, mesh_config, trust_domain, with_own_tokens, workload

Json = dict[str, Any]

TCP_ALPN = ("istio-peer-exchange", "istio")
HTTP_ALPN = ("istio-http/1.1", "istio", "http/1.1")


def identity(caller: Json, own: str, docs: list[Json]) -> str | None:
    """The SPIFFE identity that a caller shows; None for plaintext. Raises OracleError when the question leaves it open."""
    if caller.get("plaintext"):
        return None
    account = caller.get("service_account")
    if not account and caller.get("workload") and caller.get("mtls"):
        account = workload(docs, caller["namespace"], caller["workload"]).service_account
    if not account or "namespace" not in caller:
        raise OracleError(f"`from` must be plaintext, or mtls with namespace and workload or service_account: {caller}")
    return f"spiffe://{caller.get('trust_domain') or own}/ns/{caller['namespace']}/sa/{account}"


@dataclass(frozen=True)
class _World:
    """A world, the workloads that its questions call, and where each listens here."""

    line: Json
    docs: list[Json]
    targets: dict[tuple[str, str], Workload]
    addresses: dict[tuple[str, str], str]

    @classmethod
    def of(cls, line: Json, number: int) -> _World:
        line = with_own_tokens(line)
        docs = documents(line["manifests"])
        targets: dict[tuple[str, str], Workload] = {}
        addresses: dict[tuple[str, str], str] = {}
        for q in line["questions"]:
            if "workload" not in q["to"] or "via" in q["to"]:
                raise OracleError(f"question {q['id']}: `to` must name namespace, workload and port")
            key = q["to"]["namespace"], q["to"]["workload"]
            if key not in targets:
                targets[key] = workload(docs, *key)
                addresses[key] = q["to"].get("ip") or f"127.40.{number % 250}.{len(addresses) + 1}"
        return cls(line, docs, targets, addresses)

    def case(self) -> Json:
        pods = "".join(t.pod() for t in self.targets.values())
        proxies = [t.proxy("sidecar") for t in self.targets.values()]
        return {
            "id": self.line["id"],
            "manifests": self.line["manifests"] + pods,
            "mesh_config": mesh_config(self.line),
            "proxies": proxies,
        }

    def ports(self, key: tuple[str, str]) -> list[int]:
        return sorted({q["to"]["port"] for q in self.line["questions"] if (q["to"]["namespace"], q["to"]["workload"]) == key})


def _inbound(listener: Json, name: str, address: str, ports: list[int], files: envoy.Files) -> Json:
    at = [{"socket_address": {"address": address, "port_value": p}} for p in ports]
    chains = [envoy.adapted_chain(c, files) for c in listener["filter_chains"] if c.get("name") != "virtualInbound-blackhole"]
    out = {
        "name": name,
        "address": at[0],
        "additional_addresses": [{"address": a} for a in at[1:]],
        "listener_filters": [f for f in listener.get("listener_filters", []) if "original_dst" not in f["name"]],
        "listener_filters_timeout": "2s",
        "continue_on_listener_filters_timeout": True,
        "filter_chains": chains,
        "access_log": envoy.access_log(files.log),
    }
    if "default_filter_chain" in listener:
        out["default_filter_chain"] = listener["default_filter_chain"]
    return out


def expected(case: str, question: Json, got: Result, log: envoy.Log) -> Json:
    """The answer to a question in the form of the conformance suites."""
    row: Json = {"id": case, "question": question["id"]}
    if got.from_workload:
        return {**row, "verdict": "allowed"}
    if got.kind != "http":
        policy = envoy.policy_of(log.by_peer.get(got.peer, {}).get("term"))
        return {**row, "verdict": "denied", "symptom": {"kind": got.kind, "status": None}, **({"policy_id": policy} if policy else {})}
    details = log.by_id.get(question["id"], {}).get("details")
    policy = envoy.policy_of(details)
    row |= {
        "verdict": "denied" if got.status >= 400 else "allowed",
        "symptom": {"kind": "http", "status": got.status, "body": got.body},
        "details": details,
    }
    return {**row, "policy_id": policy} if policy else row


def run(worlds: Sequence[Json], binary: str) -> tuple[list[Json], Counter[str]]:
    """The real answer to every question, in order, and what could not be asked."""
    asked = [_World.of(line, n) for n, line in enumerate(worlds)]
    configured = configurations(binary, [w.case() for w in asked])
    lost = Counter(f"istiod: {c['error'][:80]}" for c in configured.values() if c.get("error"))
    with tempfile.TemporaryDirectory(prefix="oracle-") as scratch:
        results, log = _run(Path(scratch), asked, configured)
    rows = []
    for w in asked:
        refused = refused_objects(configured[w.line["id"]])
        for q in w.line["questions"]:
            if (got := results.get(f"{w.line['id']}/{q['id']}")) is not None:
                row = expected(w.line["id"], {**q, "id": f"{w.line['id']}/{q['id']}"}, got, log)
                rows.append({**row, "question": q["id"], **({"refused_objects": refused} if refused else {})})
    return rows, lost


def _run(folder: Path, asked: list[_World], configured: dict[str, Json]) -> tuple[dict[str, Result], envoy.Log]:
    pki, log = Pki(folder), folder / "access.log"
    log.touch()
    context = client_contexts(pki)
    application = Application()
    listeners: list[Json] = []
    calls: list[Call] = []
    for w in asked:
        if configured[w.line["id"]].get("error"):
            continue
        own = trust_domain(w.line)
        for key, target in w.targets.items():
            files = envoy.Files(pki.issue(f"spiffe://{own}/{target.identity}"), str(pki.ca_file), str(log))
            inbound = next(x for x in configured[w.line["id"]]["proxies"][target.id]["listeners"] if x["name"] == "virtualInbound")
            listeners.append(_inbound(inbound, f"{w.line['id']}-{target.id}", w.addresses[key], w.ports(key), files))
        for q in w.line["questions"]:
            uri = identity(q["from"], own, w.docs)
            alpn = TCP_ALPN if q.get("protocol") == "tcp" else HTTP_ALPN
            to = q["to"]
            calls.append(
                Call(
                    question={"host": f"{to['workload']}.{to['namespace']}", **q, "id": f"{w.line['id']}/{q['id']}"},
                    address=w.addresses[to["namespace"], to["workload"]],
                    port=to["port"],
                    source=q.get("source_ip") or "127.0.0.1",
                    path=q.get("path") or "/",
                    tls=context(uri, alpn) if uri else None,
                )
            )
    clusters = [
        envoy.static_cluster(c, None if c == "BlackHoleCluster" else application.port) for c in sorted(envoy.clusters_in(listeners))
    ]
    try:
        with envoy.Envoy(folder, listeners, clusters):
            results = asyncio.run(application.ask(calls))
    finally:
        application.close()
    return results, envoy.read_log(log)


def main() -> None:
    """Generate worlds and write them with their real answers."""
    jwt = Jwt(gen_sidecar.ISSUERS)
    generate(__doc__ or "", lambda seed: gen_sidecar.case(seed, jwt), run)


if __name__ == "__main__":
    main()
