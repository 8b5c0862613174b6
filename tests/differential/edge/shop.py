"""The pods and Services that all worlds share, and the controller's own Service."""

# ruff: noqa: E501  tables
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.differential.edge.sandbox import DOOR
from tests.support.apiserver import ApiServer

Json = dict[str, Any]
NAMESPACE, OTHER = "shop", "other"
PODS = {
    ("shop", "web"): "10.244.0.10",
    ("shop", "api"): "10.244.0.20",
    ("shop", "admin"): "10.244.0.30",
    ("shop", "auth"): "10.244.0.40",
    ("other", "far"): "10.244.1.10",
}
ADDRESSES = {ip: name for (_, name), ip in PODS.items()}
PORT = 8080
SERVICES = {"web": 80, "api": 80, "admin": 8000, "auth": 80}
"""Of namespace shop, with their ports; `empty` has no pods, and `missing` does not exist."""


def namespace(name: str) -> Json:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def service(space: str, name: str, port: int, selector: Mapping[str, str], **more: Any) -> Json:
    ports = [{"name": "http", "port": port, "targetPort": PORT}]
    return {
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": space},
        "spec": {"selector": dict(selector), "ports": ports, **more},
    }  # fmt: skip


def slice_of(space: str, name: str, addresses: list[str]) -> Json:
    return {
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
        "metadata": {"name": name, "namespace": space, "labels": {"kubernetes.io/service-name": name}},
        "ports": [{"name": "http", "port": PORT, "protocol": "TCP"}],
        "endpoints": [{"addresses": [ip], "conditions": {"ready": True}, "targetRef": {"kind": "Pod", "name": ADDRESSES[ip], "namespace": space}} for ip in addresses],
    }  # fmt: skip


def pod(space: str, name: str) -> Json:
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": space, "labels": {"app": name}},
        "spec": {"containers": [{"name": "c", "image": "x", "ports": [{"containerPort": PORT}]}]},
    }  # fmt: skip


def secret(name: str, data: Mapping[str, str], kind: str = "Opaque") -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": kind,
        "metadata": {"name": name, "namespace": NAMESPACE},
        "stringData": dict(data),
    }


def put(server: ApiServer) -> None:
    """The pods, running, and their Services."""
    for space in (NAMESPACE, OTHER):
        server.request("POST", "/api/v1/namespaces", namespace(space))
    for (space, name), ip in PODS.items():
        server.request("POST", f"/api/v1/namespaces/{space}/pods", pod(space, name))
        server.run_pod(space, name, ip)
        server.request("POST", f"/api/v1/namespaces/{space}/services", service(space, name, SERVICES.get(name, 80), {"app": name}))
        server.request("POST", f"/apis/discovery.k8s.io/v1/namespaces/{space}/endpointslices", slice_of(space, name, [ip]))
    server.request("POST", f"/api/v1/namespaces/{NAMESPACE}/services", service(NAMESPACE, "empty", 80, {"app": "nobody"}))
    server.request("POST", f"/apis/discovery.k8s.io/v1/namespaces/{NAMESPACE}/endpointslices", slice_of(NAMESPACE, "empty", []))


def controller(
    server: ApiServer, space: str, name: str, labels: Mapping[str, str], image: str, args: list[str], ports: Mapping[str, int]
) -> None:
    """The controller's pod and the Service before it, which keeps the client's address."""
    server.request("POST", "/api/v1/namespaces", namespace(space))
    container = {"name": "controller", "image": image, "args": args, "ports": [{"name": n, "containerPort": p} for n, p in ports.items()]}
    server.request("POST", f"/api/v1/namespaces/{space}/pods", {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": space, "labels": dict(labels)}, "spec": {"containers": [container]},
    })  # fmt: skip
    server.run_pod(space, name, DOOR)
    listed = [{"name": n, "port": {"http": 80, "https": 443}[n], "targetPort": p} for n, p in ports.items()]
    server.request("POST", f"/api/v1/namespaces/{space}/services", {
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": space, "labels": dict(labels)},
        "spec": {"type": "LoadBalancer", "externalTrafficPolicy": "Local", "selector": dict(labels), "ports": listed},
    })  # fmt: skip
