"""Random worlds at a waypoint: those of gen_sidecar.py, with policies that have targets, routes, and callers in ambient mode."""

from __future__ import annotations

import random
from typing import Any

import yaml

from tests.oracle import gen_sidecar
from tests.oracle.tokens import Jwt

Json = dict[str, Any]

AMBIENT = ("foo", "bar", "bar-prod", "istio-system")
VIP = "10.96.0.12"
_PORTS = {8080: 80, 9090: 9090, 7070: 7070}
WAYPOINT = """\
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: istio-waypoint}
spec: {controllerName: istio.io/mesh-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: wp, namespace: foo}
spec: {gatewayClassName: istio-waypoint, listeners: [{name: mesh, port: 15008, protocol: HBONE}]}
status: {addresses: [{type: Hostname, value: wp.foo.svc.cluster.local}]}
"""


def case(seed: int, jwt: Jwt) -> Json:
    """One world with its questions; a seed always makes the same one, but for the keys of tokens."""
    line, rng = gen_sidecar.case(seed, jwt), random.Random(seed * 31 + 7)
    documents = [d for d in yaml.safe_load_all(line["manifests"]) if d and d["kind"] != "PeerAuthentication"]
    for document in documents:
        _moved(document, rng)
    documents += [d for ns, account in gen_sidecar.ACCOUNTS if (ns, account) != ("foo", "svc") for d in _caller(ns, account)]
    if rng.random() < 0.4:
        documents.append(_routes(rng))
    questions = [q for q in line["questions"] if "plaintext" not in q["from"]]
    for q in questions:
        q["from"] = {k: v for k, v in q["from"].items() if k not in ("mtls", "service_account")} | {
            "workload": q["from"]["service_account"]
        }
        q["to"] = {"url": f"{'tcp' if q.get('protocol') == 'tcp' else 'http'}://svc.foo:{_PORTS[q['to']['port']]}/"}
        q.pop("sni", None)
    manifests = yaml.safe_dump_all(documents, sort_keys=False) + "---\n" + WAYPOINT
    return {**line, "id": f"waypoint-{seed}", "manifests": manifests, "questions": questions}


def _moved(document: Json, rng: random.Random) -> None:
    meta, spec = document["metadata"], document.setdefault("spec", {})
    if document["kind"] == "Namespace":
        meta["labels"] = {"istio.io/dataplane-mode": "ambient"} if meta["name"] in AMBIENT else {}
    elif document["kind"] == "Service":
        meta["labels"] = {"istio.io/use-waypoint": "wp"}
        spec |= {"clusterIP": VIP, "clusterIPs": [VIP]}
    elif document["kind"] in ("AuthorizationPolicy", "RequestAuthentication"):
        spec.pop("selector", None)
        spec["targetRefs"] = [_target(meta, rng)]


def _target(meta: Json, rng: random.Random) -> Json:
    if meta["namespace"] == "istio-system" and rng.random() < 0.6:
        return {"group": "gateway.networking.k8s.io", "kind": "GatewayClass", "name": "istio-waypoint"}
    if rng.random() < 0.2:
        return {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": rng.choice(["wp", "wp", "other"])}
    return {"group": "", "kind": "Service", "name": rng.choice(["svc", "svc", "svc", "svc", "other"])}


def _caller(namespace: str, account: str) -> list[Json]:
    labels = {"app": account}
    template = {
        "metadata": {"labels": labels},
        "spec": {"serviceAccountName": account, "containers": [{"name": "a", "image": "example/a"}]},
    }
    spec = {"selector": {"matchLabels": labels}, "template": template}
    return [{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": account, "namespace": namespace}, "spec": spec}]


def _routes(rng: random.Random) -> Json:
    """A VirtualService or an HTTPRoute for the Service."""
    paths = rng.sample(["/api", "/admin", "/health", "/"], k=2)
    if rng.random() < 0.5:
        rules: list[Json] = [
            {"matches": [{"path": {"type": "PathPrefix", "value": path}}], "backendRefs": [{"name": "svc", "port": 80}]} for path in paths
        ]
        if rng.random() < 0.4:
            rules[0]["matches"][0]["method"] = rng.choice(["GET", "POST"])
        parent = {"group": "", "kind": "Service", "name": "svc", **({"port": 80} if rng.random() < 0.6 else {})}
        meta = {"name": "r", "namespace": rng.choice(["foo", "foo", "bar"])}
        return {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "HTTPRoute",
            "metadata": meta,
            "spec": {"parentRefs": [parent], "rules": rules},
        }
    routes: list[Json] = []
    for path in paths:
        route: Json = {
            "match": [{"uri": {"prefix": path}}],
            "route": [{"destination": {"host": "svc.foo.svc.cluster.local", "port": {"number": 80}}}],
        }
        pick = rng.random()
        if pick < 0.2:
            route = {"match": route["match"], "directResponse": {"status": rng.choice([200, 418])}}
        elif pick < 0.35:
            route["fault"] = {"abort": {"httpStatus": 451, "percentage": {"value": 100}}}
        elif pick < 0.45:
            route["match"][0]["sourceLabels"] = {"app": "web"}
        elif pick < 0.55:
            route["match"][0]["sourceNamespace"] = rng.choice(["foo", "bar"])
        elif pick < 0.65:
            route = {"match": route["match"], "redirect": {"uri": "/elsewhere"}}
        routes.append(route)
    if rng.random() < 0.4:
        routes.append({"route": [{"destination": {"host": "svc.foo.svc.cluster.local", "port": {"number": 80}}}]})
    meta = {"name": "v", "namespace": rng.choice(["foo", "foo", "bar"])}
    spec = {"hosts": ["svc.foo.svc.cluster.local"], "http": routes}
    return {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": meta, "spec": spec}
