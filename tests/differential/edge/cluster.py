"""The objects of a world in a real API server, and read back from it as a user's snapshot would hold them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from typing import Any

from tests.support.apiserver import ApiError, ApiServer

Json = dict[str, Any]
PLURALS = {
    "IngressClass": "ingressclasses",
    "Ingress": "ingresses",
    "NetworkPolicy": "networkpolicies",
    "Middleware": "middlewares",
    "HTTPProxy": "httpproxies",
}


def path_of(kind: str, version: str, namespace: str | None) -> str:
    """The collection of a kind."""
    root = "/api/" + version if "/" not in version else "/apis/" + version
    inside = f"/namespaces/{namespace}" if namespace else ""
    return f"{root}{inside}/{PLURALS.get(kind, kind.lower() + 's')}"


def create(server: ApiServer, items: Iterable[Json]) -> list[Json]:
    """Put objects into the server in their order; those that it refuses are left out and returned."""
    refused = []
    for item in items:
        meta = item["metadata"]
        collection = path_of(item["kind"], item["apiVersion"], meta.get("namespace"))
        try:
            server.request("POST", collection, item)
            continue
        except ApiError as error:
            if error.code in (400, 422):
                refused.append(item)
                continue
            if error.code != 409:
                raise
        old = server.request("GET", f"{collection}/{meta['name']}")
        server.request(
            "PUT", f"{collection}/{meta['name']}", {**item, "metadata": {**meta, "resourceVersion": old["metadata"]["resourceVersion"]}}
        )
    return refused


def clear(server: ApiServer, kinds: Sequence[tuple[str, str]], namespaces: Sequence[str]) -> None:
    """Delete all objects of kinds (version, kind) in namespaces."""
    for version, kind in kinds:
        for namespace in namespaces:
            with contextlib.suppress(ApiError):
                server.request("DELETE", path_of(kind, version, namespace))


def read_back(server: ApiServer, kinds: Sequence[tuple[str, str]]) -> list[Json]:
    """All objects of kinds, as the server stores them."""
    out: list[Json] = []
    for version, kind in kinds:
        for item in server.request("GET", path_of(kind, version, None))["items"]:
            item["metadata"].pop("managedFields", None)
            out.append({"apiVersion": version, "kind": kind, **item})
    return out
