"""Manifests of small worlds, as text."""

from __future__ import annotations

from typing import Any


def app(namespace: str, name: str, account: str | None = None, **template: Any) -> str:
    """A Deployment and its Service (80 → 8080, HTTP), as flow YAML."""
    meta = {"labels": {"app": name}, **template}
    return f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {meta}
    spec: {{serviceAccountName: {account or name}, containers: [{{name: a, image: b, ports: [{{containerPort: 8080}}]}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  selector: {{app: {name}}}
  ports: [{{name: http, port: 80, targetPort: 8080}}, {{name: dns, port: 80, protocol: UDP, targetPort: 53}}]
"""


def thing(api: str, kind: str, namespace: str, name: str, spec: str) -> str:
    """Any object; `spec` as flow YAML."""
    return f"apiVersion: {api}\nkind: {kind}\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {spec}\n"


def space(name: str, labels: str = "istio-injection: enabled") -> str:
    """A Namespace."""
    return f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}, labels: {{{labels}}}}}\n"
