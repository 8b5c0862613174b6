"""The defaults that an API server fills into Gateway API objects from their CRDs; none stands here."""

from __future__ import annotations

from typing import Any

import yaml

from tests.oracle.world import documents

GROUP = "gateway.networking.k8s.io"


def with_defaults(manifests: str) -> str:
    """The manifests as they would be stored; worlds without Gateway API come back as they are."""
    if f"apiVersion: {GROUP}" not in manifests:
        return manifests
    docs = documents(manifests)
    for document in docs:
        if document["apiVersion"].startswith(GROUP):
            if document["kind"] == "Gateway":
                for listener in document["spec"]["listeners"]:
                    listener.setdefault("allowedRoutes", {}).setdefault("namespaces", {}).setdefault("from", "Same")
            if document["kind"] == "HTTPRoute":
                _default_route(document["spec"])
    return yaml.safe_dump_all(docs, sort_keys=False)


def _default_route(spec: dict[str, Any]) -> None:
    for parent in spec["parentRefs"]:
        _default(parent, group=GROUP, kind="Gateway")
    for rule in spec["rules"]:
        for match in rule.setdefault("matches", [{}]):
            _default(match, path={"type": "PathPrefix", "value": "/"})
            for value in [*match.get("headers", []), *match.get("queryParams", [])]:
                _default(value, type="Exact")
        for backend in rule.get("backendRefs", []):
            _default(backend, group="", kind="Service", weight=1)
        for route_filter in rule.get("filters", []):
            if "requestRedirect" in route_filter:
                _default(route_filter["requestRedirect"], statusCode=302)


def _default(value: dict[str, Any], **defaults: Any) -> None:
    for key, default in defaults.items():
        value.setdefault(key, default)
