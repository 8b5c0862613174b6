"""Istio's own golden files: the RBAC filters that Istio makes of AuthorizationPolicies are the ones that meshcheck expects of them.

Cases, workload and mesh settings: istio/istio:pilot/pkg/security/authz/builder/builder_test.go.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from meshcheck.cli.world import build_world
from meshcheck.decode.proxy_config.dump import proxy_of
from meshcheck.load.read import Reading
from meshcheck.semantics.running_proxy.comparison import compare

SUITE = Path(__file__).resolve().parents[3] / "shared/vectors/istio-authz-builder"
WORLD = """\
apiVersion: v1
kind: Namespace
metadata: {name: foo, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Pod
metadata: {name: httpbin, namespace: foo, labels: {app: httpbin, version: v1}}
spec: {containers: [{name: app}, {name: istio-proxy}]}
---
apiVersion: v1
kind: Service
metadata: {name: my-custom-ext-authz, namespace: foo}
spec: {ports: [{port: 9000}]}
"""
AUTHORIZER = "my-custom-ext-authz.foo.svc.cluster.local"
GRPC = f"extensionProviders: [{{name: default, envoyExtAuthzGrpc: {{service: foo/{AUTHORIZER}, port: 9000, statusOnError: '403'}}}}]"
HTTP = f"extensionProviders: [{{name: default, envoyExtAuthzHttp: {{service: foo/{AUTHORIZER}, port: 9000, pathPrefix: /check}}}}]"
SHORT = f"extensionProviders: [{{name: default, envoyExtAuthzGrpc: {{service: {AUTHORIZER}, port: 9000}}}}]"
BAD = "extensionProviders: [{name: default, envoyExtAuthzHttp: {service: foo/my-custom-ext-authz, port: 999999, statusOnError: '999'}}]"


class Case(NamedTuple):
    """One case of Istio's test: the policies, the filters made of them, and the mesh config."""

    given: str
    made: tuple[str, ...]
    mesh: str = ""

    @property
    def http(self) -> bool:
        """Whether the filters are of an HTTP chain."""
        return self.given.startswith("http/")


def _plain(folder: str, *names: str) -> list[Case]:
    return [Case(f"{folder}/{name}-in.yaml", (f"{folder}/{name}-out.yaml",)) for name in names]


def _pair(given: str, made: str, mesh: str = "") -> Case:
    return Case(f"{given}-in.yaml", (f"{made}-out1.yaml", f"{made}-out2.yaml"), mesh)


def _domains(name: str, domain: str, *aliases: str) -> Case:
    return Case(f"http/{name}-in.yaml", (f"http/{name}-out.yaml",), f"trustDomain: {domain}\ntrustDomainAliases: [{', '.join(aliases)}]")


CASES = [
    *_plain("http", "allow-empty-rule", "allow-full-rule", "allow-nil-rule", "allow-path", "audit-full-rule", "deny-empty-rule"),
    *_plain("http", "dry-run-allow", "dry-run-mix", "multiple-policies", "single-policy"),
    *_plain("tcp", "allow-both-http-tcp", "allow-only-http", "audit-both-http-tcp", "deny-both-http-tcp", "dry-run-mix"),
    _pair("http/deny-and-allow", "http/deny-and-allow"),
    _pair("http/dry-run-allow-and-deny", "http/dry-run-allow-and-deny"),
    _pair("http/custom-simple-http", "http/custom-grpc-provider-no-namespace", SHORT),
    _pair("http/custom-simple-http", "http/custom-grpc-provider", GRPC),
    _pair("http/custom-simple-http", "http/custom-http-provider", HTTP),
    Case("http/custom-simple-http-in.yaml", ("http/custom-bad-out.yaml",), BAD),
    _pair("tcp/custom-both-http-tcp", "tcp/custom-both-http-tcp", GRPC),
    Case("tcp/custom-only-http-in.yaml", (), HTTP),
    _domains("simple-policy-td-aliases", "td1", "cluster.local"),
    _domains("simple-policy-multiple-td-aliases", "td1", "cluster.local", "some-td"),
    _domains("simple-policy-principal-with-wildcard", "td1", "foobar"),
    _domains("td-aliases-source-principal", "new-td", "old-td", "some-trustdomain"),
]
pytestmark = pytest.mark.skipif(not SUITE.is_dir(), reason=f"LOUD: no folder {SUITE}: the suite `istio-authz-builder` was NOT run")


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.given}-{case.made[:1]}")
def test_the_filters_are_those_that_are_expected(case: Case) -> None:
    """A proxy that holds what Istio made differs in nothing from the manifests."""
    assert [d.message for d in _differences(case, case.made)] == []


@pytest.mark.parametrize("case", [case for case in CASES if case.made], ids=lambda case: f"{case.given}-{case.made[0]}")
def test_a_filter_that_is_not_there_is_missed(case: Case) -> None:
    """The comparison can fail: without its filters the proxy differs."""
    assert _differences(case, ())


def _differences(case: Case, made: tuple[str, ...]) -> list[Any]:
    reading = Reading()
    reading.add_text("world.yaml", WORLD)
    reading.add_text(case.given, (SUITE / case.given).read_text())
    world = build_world(reading, mesh_text=case.mesh or None)
    workload = world.find_workload("foo", "httpbin")
    assert workload is not None
    proxy = proxy_of(_dump(case.http, [yaml.safe_load((SUITE / name).read_text()) for name in made]), case.given)
    return list(compare(world, proxy, workload).differences)


def _dump(http: bool, filters: list[Any]) -> Any:
    manager = {
        "name": "envoy.filters.network.http_connection_manager",
        "typedConfig": {"@type": "type.googleapis.com/x.HttpConnectionManager", "httpFilters": filters},
    }
    listener = {"name": "virtualInbound", "filterChains": [{"name": "0.0.0.0_8080", "filters": [manager] if http else filters}]}
    section = {
        "@type": "type.googleapis.com/envoy.admin.v3.ListenersConfigDump",
        "dynamicListeners": [{"activeState": {"listener": listener}}],
    }
    return {"configs": [section]}
