"""What the API server holds: put there object by object, and taken away again.

Without controllers nothing reacts to what is stored: a Deployment has no Pods, a Namespace is not emptied when it is deleted.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import yaml

from tests.support.apiserver import ApiError, ApiServer

Json = dict[str, Any]
KEPT = ("default", "kube-system", "kube-public", "kube-node-lease")
_placed: dict[int, dict[str, None]] = {}
"""What was put into a server, by its id."""
_STATUS = ("Pod", "Node", "Service", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Ingress")


def put(server: ApiServer, documents: Iterable[Json], namespace: str = "default") -> list[str]:
    """Apply objects as kubectl would on the server's side, namespaces first; returns what the server refuses."""
    refused: list[str] = []
    every = [item for document in documents for item in _items(document)]
    every += [_deployment_of(value) for value in every if _is_waypoint(value)]
    for value in sorted(every, key=lambda v: v["kind"] != "Namespace"):
        meta = value["metadata"]
        where = meta.get("namespace") or namespace
        path, namespaced = _path(server, value["apiVersion"], value["kind"])
        if path is None:
            refused.append(f"{value['kind']}: no such kind")
            continue
        if namespaced:
            _namespace(server, where)
            path = path.format(f"namespaces/{where}/")
        else:
            path = path.format("")
        url = f"{path}/{meta['name']}"
        if value["kind"] != "Namespace":
            _placed.setdefault(id(server), {})[url] = None
        text = yaml.safe_dump(value, allow_unicode=True).encode()
        try:
            server.request("PATCH", f"{url}?fieldManager=test&force=true", text, content_type="application/apply-patch+yaml")
            if status := _status(value):
                server.set_status(url, status)
        except ApiError as error:
            refused.append(f"{value['kind']} {meta['name']}: {error}")
    return refused


def _status(value: Json) -> Json | None:
    """What is known of an object besides what was asked for; of a waypoint what Istio writes once its pods are ready."""
    if value["kind"] in _STATUS:
        return value.get("status")
    return {"addresses": [{"type": "IPAddress", "value": "10.96.1.2"}]} if _is_waypoint(value) else None


def _is_waypoint(value: Json) -> bool:
    return bool(value["kind"] == "Gateway" and value.get("spec", {}).get("gatewayClassName") == "istio-waypoint")


def _deployment_of(waypoint: Json) -> Json:
    """What istiod makes of a waypoint. Source: istio/istio:manifests/charts/istio-control/istio-discovery/files/waypoint.yaml."""
    name, namespace = waypoint["metadata"]["name"], waypoint["metadata"]["namespace"]
    labels = {"gateway.networking.k8s.io/gateway-name": name, "gateway.istio.io/managed": "istio.io-mesh-controller"}
    pod = {"serviceAccountName": name, "containers": [{"name": "istio-proxy", "image": "proxyv2"}]}
    spec = {"selector": {"matchLabels": {**labels}}, "template": {"metadata": {"labels": {**labels}}, "spec": pod}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": namespace}, "spec": spec}


def put_text(server: ApiServer, text: str, namespace: str = "default") -> list[str]:
    return put(server, (d for d in yaml.safe_load_all(text) if isinstance(d, dict)), namespace)


def wipe(server: ApiServer) -> None:
    """Take away what was put there, and the namespaces."""
    for url in reversed(_placed.pop(id(server), {})):
        try:
            server.request("DELETE", url, {"gracePeriodSeconds": 0, "propagationPolicy": "Background"})
        except ApiError as error:
            if error.code != 404:
                raise
    for item in server.request("GET", "/api/v1/namespaces")["items"]:
        name = item["metadata"]["name"]
        if name in KEPT:
            labels = item["metadata"].get("labels", {})
            drop = {key: None for key in labels if key != "kubernetes.io/metadata.name"}
            if drop:
                url = f"/api/v1/namespaces/{name}"
                server.request("PATCH", url, {"metadata": {"labels": drop}}, content_type="application/merge-patch+json")
            continue
        server.request("DELETE", f"/api/v1/namespaces/{name}")
        ending = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}, "spec": {"finalizers": []}}
        server.request("PUT", f"/api/v1/namespaces/{name}/finalize", ending)


def _items(document: Json) -> list[Json]:
    return list(document["items"]) if document["kind"].endswith("List") and "items" in document else [document]


def _namespace(server: ApiServer, name: str) -> None:
    try:
        server.request("GET", f"/api/v1/namespaces/{name}")
    except ApiError:
        server.request("POST", "/api/v1/namespaces", {"metadata": {"name": name}})


@cache
def _resources(server: ApiServer, api_version: str) -> dict[str, tuple[str, bool]]:
    try:
        found = server.request("GET", f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}")
    except ApiError:
        return {}
    return {r["kind"]: (r["name"], r["namespaced"]) for r in found["resources"] if "/" not in r["name"]}


def _path(server: ApiServer, api_version: str, kind: str) -> tuple[str | None, bool]:
    found = _resources(server, api_version).get(kind)
    if found is None:
        return None, False
    root = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
    return f"{root}/{{}}{found[0]}", found[1]
