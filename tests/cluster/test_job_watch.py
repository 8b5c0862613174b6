"""The watch mode beside a real API server: it follows changes, outlives the server, asks again after 410, and stays small."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client.openmetrics import parser

from tests.chart.rendering import ROOT, rendered
from tests.cluster.conftest import USERS, apply_crds, why_not
from tests.cluster.contents import put, put_text
from tests.cluster.installed import CALL_THAT_FAILS, NAMESPACE, Installed, Json, crds, stand_in_crds
from tests.support.apiserver import ApiServer
from tests.support.injectors import injector
from tests.support.manifests import app, space, thing

SCENARIO = ROOT / "manifests" / "scenarios" / "method-not-allowed" / "manifests.yaml"
POLICY = "/apis/security.istio.io/v1/namespaces/shop/authorizationpolicies/cart-viewer"
REPORT_ROLE = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}/roles/meshcheck-report"
ROLE = "/apis/rbac.authorization.k8s.io/v1/clusterroles/meshcheck"
MERGE = "application/merge-patch+json"


class Running:
    """A watch that runs, with its metrics and its log."""

    def __init__(self, installed: Installed, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        arguments = list(installed.arguments)
        arguments[arguments.index("--serve") + 1] = f"127.0.0.1:{self.port}"
        self.installed, self.log = installed, folder / "watch.log"
        installed.arguments = arguments
        with self.log.open("wb") as log:
            self.process = installed.start(log)

    def metrics(self) -> dict[str, float]:
        """Name (and label values) → value."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/metrics", headers={"Accept": "application/openmetrics-text"})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as reply:
            text = reply.read().decode()
        found = {}
        for family in parser.text_string_to_metric_families(text):
            for sample in family.samples:
                found[" ".join((sample.name, *sample.labels.values()))] = sample.value
        return found

    def lines(self) -> list[Json]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def until(self, true: Callable[[], object], what: str, seconds: float = 60) -> None:
        """Wait for something that happens a moment later."""
        end = time.monotonic() + seconds
        why: object = "no"
        while time.monotonic() < end:
            assert self.process.poll() is None, self.log.read_text()
            try:
                if true():
                    return
            except (OSError, KeyError) as error:
                why = error
            time.sleep(0.1)
        raise AssertionError(f"{what}: not within {seconds} s ({why})\n{self.log.read_text()[-3000:]}")

    def answers(self) -> dict[str, str]:
        """Question → verdict, as the report in the cluster has it."""
        try:
            report = self.installed.report()
        except Exception:
            return {}
        return {a["id"]: a["verdict"] for check in report["checks"] for a in check.get("questions", ())}

    def report(self) -> Json:
        return self.installed.report()

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(10)


@pytest.fixture
def running(server: ApiServer, tmp_path: Path) -> Iterator[Running]:
    """The watch mode as it is shipped, with one question, and a short debounce."""
    yield from _running(server, tmp_path)


def _running(server: ApiServer, folder: Path) -> Iterator[Running]:
    assert put_text(server, SCENARIO.read_text()) == []
    asked = tuple(w for field, value in CALL_THAT_FAILS.items() for w in ("--set", f"questions[0].{field}={value}"))
    installed = Installed(server, rendered("defaults", "--set", "cronJob.enabled=false", "--set", "watch.enabled=true", *asked), folder)
    file = installed.config / "job.yaml"
    file.write_text(file.read_text() + "\nwatch: {debounce: 200ms}\n")
    running = Running(installed, folder)
    try:
        running.until(lambda: running.metrics()["meshcheck_ready"] == 1, "the first pass")
        running.until(lambda: running.answers() == {"delete": "denied"}, "the first report")
        yield running
    finally:
        running.process.kill()
        running.process.wait()


def allow(server: ApiServer, *methods: str) -> None:
    rules = server.request("GET", POLICY)["spec"]["rules"]
    rules[0]["to"][0]["operation"]["methods"] = list(methods)
    server.request("PATCH", POLICY, {"spec": {"rules": rules}}, content_type=MERGE)


def test_changes_are_followed(server: ApiServer, running: Running) -> None:
    """Changed, new and deleted objects turn the answer; its own report does not wake it."""
    allow(server, "GET", "DELETE")
    running.until(lambda: running.answers() == {"delete": "allowed"}, "a changed policy")
    assert put_text(server, thing("security.istio.io/v1", "AuthorizationPolicy", "shop", "nobody", "{action: DENY, rules: [{}]}")) == []
    running.until(lambda: running.answers() == {"delete": "denied"}, "a new policy")
    server.request("DELETE", "/apis/security.istio.io/v1/namespaces/shop/authorizationpolicies/nobody")
    running.until(lambda: running.answers() == {"delete": "allowed"}, "a deleted policy")
    running.until(lambda: running.metrics()["meshcheck_watches interrupted"] == 0, "all watches")
    metrics = running.metrics()
    assert metrics["meshcheck_watch_events_total AuthorizationPolicy"] == 3
    assert "meshcheck_watch_events_total ConfigMap" not in metrics
    passes = metrics["meshcheck_passes_total passed"] + metrics["meshcheck_passes_total failed"]
    assert 4 <= passes <= 6


def test_what_does_not_matter_wakes_nobody(server: ApiServer, running: Running) -> None:
    """A node's heartbeat, a Deployment's counters and a leader's lease are heard and left alone."""
    assert put_text(server, "apiVersion: v1\nkind: Node\nmetadata: {name: n1}\n") == []
    running.until(lambda: running.metrics()["meshcheck_watch_events_total Node"] == 1, "the new node")
    before = running.metrics()
    now = "2026-01-01T00:00:00Z"
    beat = {"type": "Ready", "status": "True", "lastHeartbeatTime": now, "lastTransitionTime": now, "reason": "r", "message": "m"}
    server.set_status("/api/v1/nodes/n1", {"conditions": [beat]})
    server.set_status("/apis/apps/v1/namespaces/shop/deployments/cart", {"replicas": 3})
    note = {"metadata": {"annotations": {"control-plane.alpha.kubernetes.io/leader": "me"}}}
    server.request("PATCH", f"/api/v1/namespaces/{NAMESPACE}/configmaps/meshcheck-config", note, content_type=MERGE)
    allow(server, "GET", "PUT")  # something that does matter, told after the others
    running.until(lambda: running.metrics()["meshcheck_watch_events_total AuthorizationPolicy"] == 1, "the changed policy")
    after = running.metrics()
    assert after["meshcheck_watch_events_total Node"] == before["meshcheck_watch_events_total Node"]
    assert "meshcheck_watch_events_total Deployment" not in after
    assert "meshcheck_watch_events_total ConfigMap" not in after


def test_a_right_that_is_lost_and_given_back(server: ApiServer, running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """A watch goes on when the right is gone, as everywhere in Kubernetes; with the next list the kind is a gap, and the answer unknown."""
    rules = running.installed.rules(ROLE)
    running.installed.set_rules(ROLE, [rule for rule in rules if "security.istio.io" not in rule["apiGroups"]])
    running.installed.wait_until(False, "list", "security.istio.io", "authorizationpolicies")
    running.end()
    installed = running.installed
    again = Running(installed, running.log.parent)
    try:
        again.until(lambda: again.answers() == {"delete": "unknown"}, "the gap")
        assert again.metrics()["meshcheck_watches refused"] == 3
        told = [line for line in again.lines() if line["message"] == "not known"]
        assert {line["kind"] for line in told} == {"AuthorizationPolicy", "RequestAuthentication", "PeerAuthentication"}
        assert all("forbidden" in line["because"] for line in told)
        installed.set_rules(ROLE, rules)
        again.until(lambda: again.answers() == {"delete": "denied"}, "the right that is back", seconds=90)
        assert again.metrics()["meshcheck_gaps"] == 0
    finally:
        again.process.kill()
        again.process.wait()


def test_kinds_that_come_later_are_followed(server: ApiServer, running: Running) -> None:
    """A CRD that is new is found within a minute or so."""
    crd = next(crd for crd in stand_in_crds(server) if crd["spec"]["group"] == "traefik.io")
    with crds(server, [crd]):
        connected = running.metrics()["meshcheck_watches connected"]
        running.until(lambda: running.metrics()["meshcheck_watches connected"] == connected + 1, "the new kind", seconds=100)
    running.until(lambda: running.metrics()["meshcheck_watches connected"] == connected, "the kind that is gone", seconds=100)


def test_configuration_is_read_again(running: Running) -> None:
    """As the kubelet puts a changed ConfigMap into the pod. What cannot be obeyed is said, and the old one goes on."""
    questions = running.installed.config / "questions.yaml"
    questions.write_text(json.dumps([{**CALL_THAT_FAILS, "id": "other", "method": "GET"}]))
    running.until(lambda: running.answers() == {"other": "allowed"}, "the changed questions")
    questions.write_text(json.dumps([{"id": "broken"}]))
    running.until(lambda: any("cannot be obeyed" in line["message"] for line in running.lines()), "the complaint")
    assert running.answers() == {"other": "allowed"}
    assert running.metrics()["meshcheck_output_failures_total configuration"] == 1


def test_it_ends_soon_when_told(running: Running) -> None:
    begun = time.monotonic()
    assert running.end() == 0
    assert time.monotonic() - begun < 15  # Kubernetes waits for 30 seconds
    assert running.lines()[-1]["message"] == "told to end"


def test_the_server_goes_away_and_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed in the middle of everything: that is said in a line, and nothing is lost. What changed meanwhile is found."""
    if missing := why_not():
        pytest.skip(f"LOUD: no API server: {missing}")
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    with ApiServer(users=USERS) as own:
        apply_crds(own)
        assert put(own, [injector()]) == []
        with contextmanager(_running)(own, tmp_path) as running:
            own.processes["kube-apiserver"].kill()
            own.processes["kube-apiserver"].wait()
            running.until(lambda: running.metrics()["meshcheck_watches interrupted"] > 30, "the interruption")
            _start_again(own)
            assert put_text(own, app("shop", "late")) == []
            allow(own, "GET", "DELETE")
            running.until(lambda: running.answers() == {"delete": "allowed"}, "the change after the return", seconds=120)
            running.until(lambda: running.metrics()["meshcheck_watches interrupted"] == 0, "all watches", seconds=120)
            metrics = running.metrics()
            assert metrics["meshcheck_objects Deployment"] == 4  # the scenario's, the watch's own, and the late one
            running.until(lambda: running.metrics()["meshcheck_gaps"] == 0, "the roles, which a server that starts does not know at once")
            assert metrics["meshcheck_watch_interruptions_total unreachable"] > 30
            said = [line["message"] for line in running.lines()]
            # said for the whole, not for each of the watches; a server that starts may drop the first of them once more
            assert 1 <= sum("watches are interrupted" in message for message in said) <= 3
            assert 1 <= sum("all watches are connected again" in message for message in said) <= 3


def _start_again(server: ApiServer) -> None:
    """The same API server on the same port and the same etcd."""
    arguments = server.processes["kube-apiserver"].args
    assert isinstance(arguments, list)
    server._spawn("kube-apiserver", *[str(word) for word in arguments[1:]])
    server._wait("kube-apiserver", f"{server.url}/readyz")


def test_memory_stays_flat(server: ApiServer, running: Running) -> None:
    """Objects that come and go by the hundred, and as many passes as there is time for: the process is as large as before."""
    assert put_text(server, "---\n".join((space("busy"), *(app("busy", f"a{n}") for n in range(40))))) == []

    def churn(rounds: int) -> float:
        for _ in range(rounds):
            passes = running.metrics()["meshcheck_passes_total failed"]
            allow(server, "GET", f"X{time.monotonic_ns()}")
            running.until(lambda passes=passes: running.metrics()["meshcheck_passes_total failed"] > passes, "a pass")  # type: ignore[misc]
        return running.metrics()["process_resident_memory_bytes"]

    first = churn(8)
    last = churn(25)
    assert last < 1.1 * first, (first, last)


def test_a_report_that_could_not_be_written_arrives_later(server: ApiServer, running: Running) -> None:
    """The right to write it is gone for a while: that is said, and tried again without anything having changed. The log has it once."""
    installed = running.installed
    rules = installed.rules(REPORT_ROLE)
    installed.set_rules(REPORT_ROLE, [{**rules[0], "verbs": ["get"]}])
    installed.wait_until(False, "patch", "", "configmaps", NAMESPACE, "meshcheck-report")
    allow(server, "GET", "DELETE")
    running.until(lambda: running.metrics()["meshcheck_output_failures_total configmap"] == 1, "the refusal")
    assert running.answers() == {"delete": "denied"}
    passes = running.metrics()["meshcheck_passes_total passed"]
    installed.set_rules(REPORT_ROLE, rules)
    running.until(lambda: running.answers() == {"delete": "allowed"}, "the report that is late")
    assert running.metrics()["meshcheck_passes_total passed"] == passes
    running.until(lambda: "the report has arrived now" in [line["message"] for line in running.lines()], "the word of it")
    assert sum("cannot be written: 403" in line["message"] for line in running.lines()) <= 2


def test_a_changed_configuration_is_taken_also_where_nothing_stands_still(server: ApiServer, running: Running) -> None:
    """Changes that never end do not keep it from looking at its file."""
    questions = running.installed.config / "questions.yaml"
    questions.write_text(json.dumps([{**CALL_THAT_FAILS, "id": "other", "method": "GET"}]))
    path, number, end = f"/api/v1/namespaces/{NAMESPACE}/configmaps/busy", 0, time.monotonic() + 60
    assert put(server, [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "busy", "namespace": NAMESPACE}}]) == []
    while running.answers() != {"other": "allowed"}:
        assert time.monotonic() < end
        number += 1
        server.request("PATCH", path, {"data": {"n": str(number)}}, content_type=MERGE)
        time.sleep(0.1)
    assert number > 5


def test_namespaces_and_roles_are_followed_when_the_configuration_asks_for_them(server: ApiServer, tmp_path: Path) -> None:
    """A question about RBAC brings roles and bindings; namespaces that are left out are gaps, and are followed again when they are back."""
    assert put_text(server, SCENARIO.read_text()) == []
    text = rendered("defaults", "--set", "cronJob.enabled=false", "--set", "watch.enabled=true", "--set", "rbac.readRoles=true")
    installed = Installed(server, text, tmp_path)
    config = {"checks": [{"name": "calls", "questions": [CALL_THAT_FAILS]}], "report": {"configMap": {"name": "meshcheck-report"}}}
    config["watch"] = {"debounce": "200ms"}
    file = installed.config / "job.yaml"
    file.write_text(json.dumps(config))
    running = Running(installed, tmp_path)
    try:
        running.until(lambda: running.answers() == {"delete": "denied"}, "the first report")
        assert "meshcheck_objects ClusterRole" not in running.metrics()
        own = {"id": "own", "as": "sa/meshcheck/meshcheck", "can": "watch pods", "allNamespaces": True}
        file.write_text(json.dumps({**config, "checks": [{"name": "calls", "questions": [CALL_THAT_FAILS, own]}]}))
        running.until(lambda: running.answers() == {"delete": "denied", "own": "allowed"}, "the question about RBAC")
        assert running.metrics()["meshcheck_objects ClusterRole"] > 0
        file.write_text(json.dumps({**config, "namespaces": ["meshcheck"]}))
        running.until(lambda: "meshcheck_objects AuthorizationPolicy" not in running.metrics(), "the namespaces that are left out")
        file.write_text(json.dumps(config))
        running.until(lambda: running.answers() == {"delete": "denied"}, "all namespaces again")
        assert running.report()["gaps"] == []
    finally:
        running.process.kill()
        running.process.wait()


@pytest.mark.parametrize("seconds", [0.6, 0.9, 1.2])
def test_it_ends_soon_when_told_while_it_reads(server: ApiServer, tmp_path: Path, seconds: float) -> None:
    """In the middle of its first lists, or before."""
    text = rendered("defaults", "--set", "cronJob.enabled=false", "--set", "watch.enabled=true")
    running = Running(Installed(server, text, tmp_path), tmp_path)
    time.sleep(seconds)
    begun = time.monotonic()
    status = running.end()
    assert time.monotonic() - begun < 15  # Kubernetes waits for 30 seconds
    assert status in (0, -signal.SIGTERM)  # before there was anybody to hear it
    assert "Traceback" not in running.log.read_text()


def test_a_token_that_is_replaced_on_disk_is_taken(server: ApiServer, tmp_path: Path) -> None:
    """As the kubelet does it every hour: the old token is not valid any more, and the next one stands in the file."""
    assert put_text(server, SCENARIO.read_text()) == []
    asked = tuple(w for field, value in CALL_THAT_FAILS.items() for w in ("--set", f"questions[0].{field}={value}"))
    installed = Installed(server, rendered("defaults", "--set", "cronJob.enabled=false", "--set", "watch.enabled=true", *asked), tmp_path)
    (installed.config / "job.yaml").write_text((installed.config / "job.yaml").read_text() + "\nwatch: {debounce: 200ms}\n")
    account = tmp_path / "account"
    account.mkdir()
    (account / "ca.crt").write_text(server.ca.read_text())
    (account / "namespace").write_text(NAMESPACE)
    (account / "token").write_text(bound_token(server, "first"))
    del installed.environment["KUBECONFIG"]
    address = server.url.removeprefix("https://").partition(":")
    installed.environment |= {"KUBERNETES_SERVICE_HOST": address[0], "KUBERNETES_SERVICE_PORT": address[2], "ACCOUNT": str(account)}
    (tmp_path / "sitecustomize.py").write_text(IN_A_POD)
    installed.environment["PYTHONPATH"] = str(tmp_path)
    running = Running(installed, tmp_path)
    try:
        running.until(lambda: running.answers() == {"delete": "denied"}, "the first report")
        (account / "token").write_text(bound_token(server, "second"))
        server.request("DELETE", f"/api/v1/namespaces/{NAMESPACE}/secrets/first")
        time.sleep(12)  # the server remembers for ten seconds whom it has let in
        allow(server, "GET", "DELETE")  # told by a watch that began before; the report needs a new request
        running.until(lambda: running.answers() == {"delete": "allowed"}, "the report with the new token", seconds=90)
        assert running.metrics()["meshcheck_gaps"] == 0
    finally:
        running.process.kill()
        running.process.wait()


IN_A_POD = """\
import os, pathlib
import kubernetes.config.incluster_config as library
import meshcheck.load.cluster.login as login

folder = os.environ["ACCOUNT"]
library.SERVICE_TOKEN_FILENAME, library.SERVICE_CERT_FILENAME = f"{folder}/token", f"{folder}/ca.crt"
login._ACCOUNT = pathlib.Path(folder)
"""
"""The place where a pod finds its account: nobody may write to /var/run here."""


def bound_token(server: ApiServer, secret: str) -> str:
    """A token of the job's service account that is valid as long as a Secret is there."""
    server.request("POST", f"/api/v1/namespaces/{NAMESPACE}/secrets", {"metadata": {"name": secret}})
    reference = {"kind": "Secret", "apiVersion": "v1", "name": secret}
    path = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/meshcheck/token"
    made = server.request("POST", path, {"spec": {"expirationSeconds": 3600, "boundObjectRef": reference}})
    return str(made["status"]["token"])
