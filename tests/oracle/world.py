"""What the oracle has to know of a world before istiod can be asked: its workloads, its mesh config, its tokens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from tests.oracle.errors import OracleError
from tests.oracle.tokens import Jwt

Json = dict[str, Any]

CONTROLLERS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job")
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def documents(manifests: str) -> list[Json]:
    """The objects of a multi-document text; lists are taken apart."""
    found: list[Json] = []
    for document in yaml.load_all(manifests, Loader=LOADER):
        found += (
            document.get("items", [document]) if document and document.get("kind", "").endswith("List") else [document] if document else []
        )
    return found


def mesh_config(world: Json) -> str:
    """The mesh config beside the manifests, or that of the ConfigMap `istio` among them."""
    if world.get("mesh_config"):
        return str(world["mesh_config"])
    if "kind: ConfigMap" in world["manifests"]:
        for document in documents(world["manifests"]):
            if document.get("kind") == "ConfigMap" and document["metadata"].get("name") == "istio":
                return str(document.get("data", {}).get("mesh", ""))
    return ""


def trust_domain(world: Json) -> str:
    """The trust domain of the mesh itself."""
    return str((yaml.load(mesh_config(world), Loader=LOADER) or {}).get("trustDomain") or "cluster.local")


@dataclass(frozen=True)
class Workload:
    """A workload as its proxy reports it to istiod, and its pod."""

    namespace: str
    name: str
    labels: dict[str, str] = field(hash=False)
    service_account: str
    ip: str
    has_pod: bool

    @property
    def id(self) -> str:
        """The name of the pod that stands for the workload, unlike that of any other in the world."""
        return f"{self.name}-{self.namespace}"

    @property
    def identity(self) -> str:
        """The identity without its trust domain."""
        return f"ns/{self.namespace}/sa/{self.service_account}"

    def proxy(self, kind: str) -> Json:
        """As the Go program wants it."""
        return {
            "id": self.id,
            "type": kind,
            "ip": self.ip,
            "namespace": self.namespace,
            "service_account": self.service_account,
            "labels": self.labels,
        }

    def pod(self) -> str:
        """The pod as a controller would have made it; empty where the world holds one."""
        if self.has_pod:
            return ""
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": self.id, "namespace": self.namespace, "labels": self.labels},
            "spec": {"serviceAccountName": self.service_account, "nodeName": "n1", "containers": [{"name": "app", "image": "example/app"}]},
            "status": {
                "podIP": self.ip,
                "podIPs": [{"ip": self.ip}],
                "phase": "Running",
                "conditions": [{"type": "Ready", "status": "True"}],
            },
        }
        return "\n---\n" + yaml.safe_dump(pod, sort_keys=False)


def workloads(docs: list[Json]) -> Iterator[Workload]:
    """The workloads of a world: those of controllers, and pods that nothing controls."""
    for n, document in enumerate(docs):
        kind, meta = document.get("kind"), document.get("metadata") or {}
        if kind not in CONTROLLERS and kind != "Pod":
            continue
        template = document if kind == "Pod" else document["spec"].get("template") or {}
        spec, labels = template.get("spec") or {}, (template.get("metadata") or {}).get("labels") or {}
        address = (document.get("status") or {}).get("podIP") if kind == "Pod" else None
        yield Workload(
            namespace=meta.get("namespace", "default"),
            name=meta["name"],
            labels={str(k): str(v) for k, v in labels.items()},
            service_account=spec.get("serviceAccountName") or "default",
            ip=address or f"10.1.{n // 250 + 1}.{n % 250 + 1}",
            has_pod=address is not None,
        )


def workload(docs: list[Json], namespace: str, name: str) -> Workload:
    """The workload that a question speaks of, as `name` or `Kind/name`."""
    wanted = name.rpartition("/")[2]
    for found in workloads(docs):
        if (found.namespace, found.name) == (namespace, wanted):
            return found
    raise OracleError(f"the world holds no workload `{namespace}/{name}`")


def with_own_tokens(world: Json) -> Json:
    """The world with claims turned into signed tokens, and every RequestAuthentication trusting the keys they were signed with.

    Worlds whose questions give no claims come back as they are.
    """
    if not any(q.get("claims") for q in world["questions"]):
        return world
    docs = documents(world["manifests"])
    rules = [r for d in docs if d["kind"] == "RequestAuthentication" for r in d["spec"].get("jwtRules") or []]
    issuers = {str(r["issuer"]) for r in rules if "issuer" in r}
    jwt = Jwt(sorted(issuers))
    for rule in rules:
        if rule.get("issuer"):
            rule.pop("jwksUri", None)
            rule["jwks"] = jwt.jwks(str(rule["issuer"]))
    questions = [_with_token(q, jwt, issuers) for q in world["questions"]]
    return {**world, "manifests": yaml.safe_dump_all(docs, sort_keys=False), "questions": questions}


def _with_token(question: Json, jwt: Jwt, issuers: set[str]) -> Json:
    if not (claims := question.get("claims")):
        return question
    issuer = claims.get("iss")
    token = jwt.sign({"exp": 4102444800, **claims}, issuer if issuer in issuers else None)
    return {**question, "headers": {**(question.get("headers") or {}), "authorization": [f"Bearer {token}"]}}
