#!/usr/bin/env python3
"""Verdicts of a real istiod and a real Envoy at a waypoint.

usage: python -m tests.oracle.run_waypoint FIRST LAST OUT [--istiod PROGRAM] [--batch 60]

As run_sidecar.py; the callers speak HBONE (hbone.py) to the listener `connect_terminate` that istiod sends, which leads into
`main_internal`, where policies and routes are. What lies behind the waypoint is one server on loopback: the ztunnel of the pods is not
asked. Needs the package `h2` beside the others.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.oracle import envoy, gen_waypoint, hbone, run_sidecar
from tests.oracle.calls import Application, Result
from tests.oracle.generate import generate
from tests.oracle.istiod import configurations, refused_objects
from tests.oracle.pki import Pki
from tests.oracle.tokens import Jwt
from tests.oracle.world import mesh_config, trust_domain, with_own_tokens

Json = dict[str, Any]

POD = "10.1.0.50"
LABELS = {"gateway.networking.k8s.io/gateway-name": "wp", "gateway.istio.io/managed": "istio.io-mesh-controller"}
_PODS = f"""
---
apiVersion: v1
kind: Service
metadata: {{name: wp, namespace: foo, labels: {json.dumps(LABELS)}}}
spec: {{clusterIP: 10.96.0.50, clusterIPs: [10.96.0.50], selector: {json.dumps(LABELS)}, ports: [{{name: mesh, port: 15008}}]}}
---
apiVersion: v1
kind: Pod
metadata: {{name: wp-1, namespace: foo, labels: {json.dumps(LABELS)}}}
spec: {{serviceAccountName: wp, nodeName: n1, containers: [{{name: istio-proxy, image: example/proxy}}]}}
status: {{podIP: {POD}, podIPs: [{{ip: {POD}}}], phase: Running, conditions: [{{type: Ready, status: "True"}}]}}
"""


def run(worlds: Sequence[Json], binary: str) -> tuple[list[Json], Counter[str]]:
    """The real answer to every question, in order, and what could not be asked."""
    os.environ["PILOT_ENABLE_AMBIENT"] = "true"
    asked = [with_own_tokens(line) for line in worlds]
    proxy = {"id": "wp-1", "type": "waypoint", "ip": POD, "namespace": "foo", "service_account": "wp", "labels": LABELS}
    cases = [{"id": w["id"], "manifests": w["manifests"] + _PODS, "mesh_config": mesh_config(w), "proxies": [proxy]} for w in asked]
    configured = configurations(binary, cases)
    lost = Counter(f"istiod: {c['error'][:80]}" for c in configured.values() if c.get("error"))
    with tempfile.TemporaryDirectory(prefix="oracle-") as scratch:
        results, log = _run(Path(scratch), asked, configured)
    rows = []
    for w in asked:
        refused = refused_objects(configured[w["id"]])
        for q in w["questions"]:
            if (got := results.get(f"{w['id']}/{q['id']}")) is not None:
                row = run_sidecar.expected(w["id"], {**q, "id": f"{w['id']}/{q['id']}"}, got, log)
                rows.append({**row, "question": q["id"], **({"refused_objects": refused} if refused else {})})
    return rows, lost


def _run(folder: Path, asked: Sequence[Json], configured: dict[str, Json]) -> tuple[dict[str, Result], envoy.Log]:
    pki, log = Pki(folder), folder / "access.log"
    log.touch()
    application = Application()
    listeners: list[Json] = []
    clusters: dict[str, Json] = {}
    calls: list[hbone.Tunnelled] = []
    for number, w in enumerate(asked):
        found = configured[w["id"]]
        if found.get("error"):
            continue
        own, address = trust_domain(w), f"127.60.{number // 200}.{number % 200 + 1}"
        files = envoy.Files(pki.issue(f"spiffe://{own}/ns/foo/sa/wp"), str(pki.ca_file), str(log))
        sent = found["proxies"]["wp-1"]
        listeners += _listeners(sent["listeners"], w["id"], address, files)
        internal = next(c for c in sent["clusters"] if c["name"] == "main_internal")
        clusters[f"main_internal-{w['id']}"] = json.loads(json.dumps(internal).replace('"main_internal"', f'"main_internal-{w["id"]}"'))
        for q in w["questions"]:
            caller, port = q["from"], q["to"]["url"].rpartition(":")[2].strip("/")
            uri = f"spiffe://{caller.get('trust_domain') or own}/ns/{caller['namespace']}/sa/{caller['workload']}"
            host = "svc.foo" if port == "80" else f"svc.foo:{port}"
            calls.append(
                hbone.Tunnelled(
                    question={"host": host, **q, "id": f"{w['id']}/{q['id']}"},
                    address=address,
                    port=15008,
                    source=q.get("source_ip") or "127.0.0.1",
                    path=q.get("path") or "/",
                    tls=hbone.context(*pki.issue(uri)),
                    authority=f"{gen_waypoint.VIP}:{port}",
                )
            )
    for name in envoy.clusters_in(listeners) - clusters.keys():
        clusters[name] = envoy.static_cluster(name, None if name in ("BlackHoleCluster", "UnknownService") else application.port)
    bootstrap = {"bootstrap_extensions": [{"name": "envoy.bootstrap.internal_listener", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.bootstrap.internal_listener.v3.InternalListener"}}]}  # fmt: skip
    try:
        with envoy.Envoy(folder, listeners, list(clusters.values()), more=bootstrap):
            results = asyncio.run(application.ask(calls))
    finally:
        application.close()
    return results, envoy.read_log(log)


def _listeners(sent: Sequence[Json], world: str, address: str, files: envoy.Files) -> list[Json]:
    """`connect_terminate` on an address of its own, and `main_internal` by a name of its own. Keys of filter states are Envoy's own."""
    out = []
    for listener in sent:
        if listener["name"] not in ("connect_terminate", "main_internal"):
            continue
        made = json.loads(
            json.dumps(listener)
            .replace("istio.hashable_string", "envoy.hashable_string")
            .replace('"main_internal"', f'"main_internal-{world}"')
        )
        chains = [envoy.adapted_chain(chain, files) for chain in made["filter_chains"]]
        made |= {"name": f"{listener['name']}-{world}", "filter_chains": chains}
        if listener["name"] == "connect_terminate":
            made["address"] = {"socket_address": {"address": address, "port_value": 15008}}
        else:
            made["name"] = f"main_internal-{world}"
        out.append(made)
    return out


def main() -> None:
    """Generate worlds and write them with their real answers."""
    from tests.oracle.gen_sidecar import ISSUERS

    jwt = Jwt(ISSUERS)
    generate(__doc__ or "", lambda seed: gen_waypoint.case(seed, jwt), run)


if __name__ == "__main__":
    main()
