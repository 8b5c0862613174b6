"""Meshes of any size: for each service a ServiceAccount, a Deployment, a Service, two AuthorizationPolicies and a NetworkPolicy."""

from __future__ import annotations

from pathlib import Path

PER_NAMESPACE = 20

SPACE = """\
apiVersion: v1
kind: Namespace
metadata:
  name: {ns}
  labels:
    istio-injection: enabled
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata:
  name: default
  namespace: {ns}
spec:
  mtls:
    mode: STRICT
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata:
  name: allow-nothing
  namespace: {ns}
spec: {{}}
"""

SERVICE = """\
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {name}
  namespace: {ns}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  namespace: {ns}
  labels:
    app.kubernetes.io/name: {name}
spec:
  replicas: 2
  selector:
    matchLabels:
      app: {name}
  template:
    metadata:
      labels:
        app: {name}
        version: v1
    spec:
      serviceAccountName: {name}
      containers:
      - name: app
        image: registry.example.com/{name}:1.4.2
        ports:
        - name: http
          containerPort: 8080
        env:
        - name: UPSTREAM
          value: http://{callee}
        readinessProbe:
          httpGet:
            path: /healthz
            port: http
---
apiVersion: v1
kind: Service
metadata:
  name: {name}
  namespace: {ns}
spec:
  selector:
    app: {name}
  ports:
  - name: http
    port: 80
    targetPort: http
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata:
  name: {name}-callers
  namespace: {ns}
spec:
  selector:
    matchLabels:
      app: {name}
  rules:
  - from:
    - source:
        principals: ["cluster.local/ns/{caller_ns}/sa/{caller}"]
    to:
    - operation:
        methods: ["GET", "POST"]
        paths: ["/api/*"]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata:
  name: {name}-no-admin
  namespace: {ns}
spec:
  selector:
    matchLabels:
      app: {name}
  action: DENY
  rules:
  - to:
    - operation:
        paths: ["/admin*"]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {name}
  namespace: {ns}
spec:
  podSelector:
    matchLabels:
      app: {name}
  policyTypes: ["Ingress"]
  ingress:
  - from:
    - namespaceSelector:
        matchLabels:
          kubernetes.io/metadata.name: {caller_ns}
      podSelector:
        matchLabels:
          app: {caller}
    ports:
    - port: 8080
"""


def place(number: int) -> tuple[str, str]:
    """(namespace, name) of a service."""
    return f"team-{number // PER_NAMESPACE:04d}", f"service-{number:05d}"


def write(folder: Path, services: int) -> None:
    """One file for each namespace; service n is called by service n - 1 and nobody else."""
    folder.mkdir(parents=True, exist_ok=True)
    for start in range(0, services, PER_NAMESPACE):
        ns = place(start)[0]
        parts = [SPACE.format(ns=ns)]
        for number in range(start, min(start + PER_NAMESPACE, services)):
            (caller_ns, caller), (callee_ns, callee) = place((number - 1) % services), place((number + 1) % services)
            parts.append(SERVICE.format(ns=ns, name=place(number)[1], caller_ns=caller_ns, caller=caller, callee=f"{callee}.{callee_ns}"))
        (folder / f"{ns}.yaml").write_text("".join(parts))
