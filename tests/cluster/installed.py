"""The chart as it is installed, and the job run as it would run there: with the service account's token and the shipped arguments."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import pytest
import yaml

from meshcheck.model.cluster_kinds import CALL, ClusterKind, kinds_for
from tests.chart.rendering import objects, pods
from tests.cluster.contents import put
from tests.support.apiserver import ApiError, ApiServer

Json = dict[str, Any]
NAMESPACE = "meshcheck"
CALL_THAT_FAILS = {"id": "delete", "from": "shop/frontend", "to": "http://cart.shop/api/items", "method": "DELETE"}


def install(server: ApiServer, text: str) -> list[Json]:
    """Apply a rendered chart on the server's side; the objects. Nothing of it may be refused."""
    found = objects(text)
    refused = put(server, found, NAMESPACE)
    assert refused == []
    return found


def _forget_report(server: ApiServer) -> None:
    """No controller empties the namespaces of earlier tests."""
    try:
        server.request("DELETE", f"/api/v1/namespaces/{NAMESPACE}/configmaps/meshcheck-report")
    except ApiError as error:
        if error.code != 404:
            raise


class Installed:
    """A release: where its configuration is, and how its container is run."""

    def __init__(self, server: ApiServer, text: str, folder: Path) -> None:
        self.server, self.text = server, text
        self.objects = install(server, text)
        _forget_report(server)
        self.config = folder / "config"
        self.config.mkdir()
        config = server.request("GET", f"/api/v1/namespaces/{NAMESPACE}/configmaps/meshcheck-config")
        for name, content in config["data"].items():
            (self.config / name).write_text(content)
        (pod,) = pods(text)
        self.arguments = [word.replace("/etc/meshcheck", str(self.config)) for word in pod["spec"]["containers"][0]["args"]]
        account = pod["spec"]["serviceAccountName"]
        token = server.service_account_token(NAMESPACE, account)
        self.user = f"system:serviceaccount:{NAMESPACE}:{account}"
        self.environment = {
            "PATH": os.environ["PATH"],
            "KUBECONFIG": server.kubeconfig(token=token, namespace=NAMESPACE),
            "HOME": str(folder),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def run(self, *more: str) -> subprocess.CompletedProcess[str]:
        """The container's own command, with the service account's token and nothing else."""
        command = [sys.executable, "-m", "meshcheck", *self.arguments, *more]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=300, check=False)

    def start(self, log: IO[bytes]) -> subprocess.Popen[bytes]:
        """The same, and it stays; everything it says goes into a file."""
        return subprocess.Popen(
            [sys.executable, "-m", "meshcheck", *self.arguments], env=self.environment, stdout=log, stderr=subprocess.STDOUT
        )

    def report(self) -> Json:
        """The report in the cluster."""
        found = self.server.request("GET", f"/api/v1/namespaces/{NAMESPACE}/configmaps/meshcheck-report")
        content: Json = json.loads(found["data"]["report.json"])
        return content

    def rules(self, path: str) -> list[Json]:
        found: list[Json] = self.server.request("GET", path)["rules"]
        return found

    def set_rules(self, path: str, rules: Sequence[Mapping[str, Any]]) -> None:
        self.server.request("PATCH", path, {"rules": list(rules)}, content_type="application/merge-patch+json")

    def may(self, verb: str, group: str, resource: str, namespace: str = "", name: str = "") -> bool:
        """What the API server's authorizer says of the service account at this moment."""
        attributes = {"verb": verb, "group": group, "resource": resource, "namespace": namespace, "name": name}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {"user": self.user, "groups": ["system:authenticated"], "resourceAttributes": attributes},
        }
        answer = self.server.request("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
        return bool(answer["status"]["allowed"])

    def wait_until(self, allowed: bool, *request: str) -> None:
        """The authorizer hears of a changed role a moment later."""
        end = time.monotonic() + 20
        while self.may(*request) is not allowed:
            assert time.monotonic() < end, request
            time.sleep(0.02)


_VERSIONS = {"cilium.io": "v2", "projectcalico.org": "v3", "crd.projectcalico.org": "v1"}
"""Of kinds that scenarios are written for."""


def stand_in_crds(server: ApiServer) -> Iterator[Json]:
    """CRDs of the kinds of the table that this server does not have, such as those of Traefik and Kong: without a schema."""
    for kind in kinds_for(CALL):
        if kind.group and not _is_served(server, kind):
            yield _crd(kind)


def _is_served(server: ApiServer, kind: ClusterKind) -> bool:
    try:
        versions = server.request("GET", f"/apis/{kind.group}")["versions"]
    except ApiError:
        return False
    found = (server.request("GET", f"/apis/{v['groupVersion']}")["resources"] for v in versions)
    return any(resource["name"] == kind.plural for resources in found for resource in resources)


def _crd(kind: ClusterKind) -> Json:
    protected = kind.group.endswith((".k8s.io", "-k8s.io"))  # the server wants to know who approved such a group
    note = {"api-approved.kubernetes.io": "unapproved, a stand-in for tests"} if protected else {}
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{kind.group}", "annotations": note},
        "spec": {
            "group": kind.group,
            "scope": "Namespaced" if kind.namespaced else "Cluster",
            "names": {"kind": kind.kind, "plural": kind.plural, "singular": kind.kind.lower()},
            "versions": [{"name": _VERSIONS.get(kind.group, "v1alpha1"), "served": True, "storage": True, "schema": schema}],
        },
    }


@contextmanager
def crds(server: ApiServer, wanted: Sequence[Json]) -> Iterator[None]:
    """CRDs that are there inside the block; all of them are served when it begins."""
    names = [crd["metadata"]["name"] for crd in wanted]
    try:
        for crd in wanted:
            server.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=yaml.safe_dump(crd))
        if names:
            server.kubectl("wait", "--for=condition=Established", "--timeout=60s", *(f"crd/{name}" for name in names))
        yield
    finally:
        for name in names:
            _remove(server, f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}")


def _remove(server: ApiServer, path: str, seconds: float = 30) -> None:
    """Delete an object and wait until it is gone; its finalizers go when they take too long, as they do while the server is very busy."""
    for seconds_left in (seconds, seconds):
        with suppress(ApiError):
            server.request("DELETE", path)
        end = time.monotonic() + seconds_left
        while time.monotonic() < end:
            try:
                server.request("GET", path)
            except ApiError as error:
                if error.code == 404:
                    return
            time.sleep(0.2)
        with suppress(ApiError):
            server.request("PATCH", path, {"metadata": {"finalizers": []}}, content_type="application/merge-patch+json")
    raise AssertionError(f"{path} is still there")


def pod_monitor_crd() -> Json:
    """The CRD of the Prometheus operator, from its Go module."""
    from tests.cluster.conftest import folder_of_module

    folder = folder_of_module("github.com/prometheus-operator/prometheus-operator@v0.79.2")
    path = folder / "example" / "prometheus-operator-crd" / "monitoring.coreos.com_podmonitors.yaml"
    if not path.exists():
        pytest.skip(f"LOUD: no {path.name} in the operator's module: PodMonitors were NOT tested")
    content: Json = yaml.safe_load(path.read_text())
    return content
