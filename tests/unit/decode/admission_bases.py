"""Good objects, one or more of each family, for tests that spoil them."""

from __future__ import annotations

from typing import Any

import yaml

_TEXT = """
pod:
  apiVersion: v1
  kind: Pod
  metadata: {name: a, namespace: shop, labels: {app: a}}
  spec:
    restartPolicy: Always
    volumes: [{name: v, emptyDir: {}}]
    containers:
    - name: a
      image: i
      ports: [{name: http, containerPort: 8080, protocol: TCP}]
      env: [{name: PORT, value: "8080"}]
      volumeMounts: [{name: v, mountPath: /v}]
      resources: {requests: {cpu: 100m}, limits: {cpu: 1}}
      livenessProbe: {httpGet: {path: /, port: http}}
    - {name: b, image: i}
deployment:
  apiVersion: apps/v1
  kind: Deployment
  metadata: {name: a}
  spec:
    selector: {matchLabels: {app: a}}
    template: {metadata: {labels: {app: a}}, spec: {containers: [{name: a, image: i}]}}
service:
  apiVersion: v1
  kind: Service
  metadata: {name: a}
  spec: {selector: {app: a}, ports: [{name: http, port: 80, targetPort: http}, {name: grpc, port: 81}]}
network-policy:
  apiVersion: networking.k8s.io/v1
  kind: NetworkPolicy
  metadata: {name: a}
  spec:
    podSelector: {}
    policyTypes: [Ingress]
    ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}], ports: [{port: 80, endPort: 90}]}]
admin-policy:
  apiVersion: policy.networking.k8s.io/v1alpha1
  kind: AdminNetworkPolicy
  metadata: {name: a}
  spec: {priority: 5, subject: {namespaces: {}}, egress: [{action: Deny, to: [{networks: [10.0.0.0/8]}]}]}
cluster-policy:
  apiVersion: policy.networking.k8s.io/v1alpha2
  kind: ClusterNetworkPolicy
  metadata: {name: a}
  spec: {tier: Admin, priority: 5, subject: {namespaces: {}}, ingress: [{action: Accept, from: [{namespaces: {}}]}]}
authorization:
  apiVersion: security.istio.io/v1
  kind: AuthorizationPolicy
  metadata: {name: a}
  spec:
    action: DENY
    selector: {matchLabels: {app: a}}
    rules:
    - from: [{source: {principals: [cluster.local/ns/a/sa/b]}}]
      to: [{operation: {paths: [/a], ports: ["80"]}}]
      when: [{key: "request.headers[x]", values: [a]}]
custom:
  apiVersion: security.istio.io/v1
  kind: AuthorizationPolicy
  metadata: {name: a}
  spec: {action: CUSTOM, provider: {name: p}, rules: [{to: [{operation: {paths: [/a]}}]}]}
request-authentication:
  apiVersion: security.istio.io/v1
  kind: RequestAuthentication
  metadata: {name: a}
  spec: {jwtRules: [{issuer: a, jwks: '{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}'}]}
peer-authentication:
  apiVersion: security.istio.io/v1
  kind: PeerAuthentication
  metadata: {name: a}
  spec: {selector: {matchLabels: {app: a}}, mtls: {mode: STRICT}, portLevelMtls: {"8080": {mode: DISABLE}}}
virtual-service:
  apiVersion: networking.istio.io/v1
  kind: VirtualService
  metadata: {name: a}
  spec: {hosts: [a.example.com], http: [{match: [{uri: {prefix: /a}}], route: [{destination: {host: web}}]}]}
destination-rule:
  apiVersion: networking.istio.io/v1
  kind: DestinationRule
  metadata: {name: a}
  spec:
    host: web
    trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}
    subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]
gateway:
  apiVersion: networking.istio.io/v1
  kind: Gateway
  metadata: {name: a}
  spec:
    servers:
    - {port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}
    - {port: {number: 443, name: https, protocol: HTTPS}, hosts: [a.example.com], tls: {mode: SIMPLE, credentialName: c}}
sidecar:
  apiVersion: networking.istio.io/v1
  kind: Sidecar
  metadata: {name: a}
  spec: {egress: [{hosts: ["./*"]}]}
service-entry:
  apiVersion: networking.istio.io/v1
  kind: ServiceEntry
  metadata: {name: a}
  spec:
    hosts: [a.example.com]
    resolution: DNS
    ports: [{number: 443, name: https, protocol: HTTPS}, {number: 80, name: http, protocol: HTTP}]
ingress:
  apiVersion: networking.k8s.io/v1
  kind: Ingress
  metadata: {name: a}
  spec: {rules: [{host: a.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: a, port: {number: 80}}}}]}}]}
http-route:
  apiVersion: gateway.networking.k8s.io/v1
  kind: HTTPRoute
  metadata: {name: a}
  spec: {parentRefs: [{name: gw}], rules: [{matches: [{path: {type: PathPrefix, value: /a}}], backendRefs: [{name: web, port: 80}]}]}
k8s-gateway:
  apiVersion: gateway.networking.k8s.io/v1
  kind: Gateway
  metadata: {name: a}
  spec: {gatewayClassName: istio, listeners: [{name: http, port: 80, protocol: HTTP}]}
role:
  apiVersion: rbac.authorization.k8s.io/v1
  kind: Role
  metadata: {name: a}
  rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
"""
BASES: dict[str, dict[str, Any]] = yaml.safe_load(_TEXT)
