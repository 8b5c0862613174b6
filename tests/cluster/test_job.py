"""The job in a real cluster: the shipped arguments, the service account's real token, the shipped role."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from meshcheck.cli.main import main
from meshcheck.model.cluster_kinds import CALL, RBAC, kinds_for
from tests.chart.rendering import ROOT, rendered
from tests.cluster.contents import put_text
from tests.cluster.installed import CALL_THAT_FAILS, NAMESPACE, Installed, Json, crds, stand_in_crds
from tests.support.apiserver import ApiServer

SCENARIO = ROOT / "manifests" / "scenarios" / "method-not-allowed" / "manifests.yaml"
ROLE = "/apis/rbac.authorization.k8s.io/v1/clusterroles/meshcheck"
REPORT_ROLE = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}/roles/meshcheck-report"
ONCE = ("--set", "cronJob.enabled=false", "--set", "job.enabled=true")
ASKING = tuple(word for field, value in CALL_THAT_FAILS.items() for word in ("--set", f"questions[0].{field}={value}"))


@pytest.fixture
def world(server: ApiServer) -> ApiServer:
    """The server with the objects of a scenario: a call that is refused."""
    assert put_text(server, SCENARIO.read_text()) == []
    return server


def test_a_report_is_written_and_nothing_is_forbidden(world: ApiServer, tmp_path: Path) -> None:
    """As CronJob: the report names the call, its cause and its fix; the exit status is that of a Job that did its work."""
    installed = Installed(world, rendered("defaults", *ASKING), tmp_path)
    done = installed.run()
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["message"] for line in lines] == ["check", "check", "report", "done"]
    assert "orbidden" not in done.stderr
    report = installed.report()
    assert report["gaps"] == []
    assert report["read"]["objects"]["AuthorizationPolicy"] == 1
    (answer,) = next(check for check in report["checks"] if check["kind"] == "questions")["questions"]
    assert (answer["id"], answer["result"], answer["verdict"]) == ("delete", "failed", "denied")
    assert answer["decided_by"] is None or answer["decided_by"]["name"] == "cart-viewer"
    assert "DELETE" in answer["fixes"][0]
    stored = world.request("GET", f"/api/v1/namespaces/{NAMESPACE}/configmaps/meshcheck-report")
    assert stored["metadata"]["managedFields"][0]["manager"] == "meshcheck"
    assert stored["data"]["report.md"].startswith("# ❌ meshcheck: checks failed")


def test_as_a_gate_the_job_fails_where_a_check_fails(world: ApiServer, tmp_path: Path) -> None:
    installed = Installed(world, rendered("defaults", *ONCE, *ASKING), tmp_path)
    assert installed.run().returncode == 1


def test_each_rule_of_the_role_is_needed(
    world: ApiServer, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every resource of every rule: without it the report has a gap of that name, and with it none; roles and bindings among them."""
    with crds(world, list(stand_in_crds(world))):
        installed = Installed(world, rendered("defaults", "--set", "rbac.readRoles=true"), tmp_path)
        monkeypatch.setenv("KUBECONFIG", installed.environment["KUBECONFIG"])
        whole = installed.rules(ROLE)
        kinds = {(kind.group, kind.plural): kind.kind for kind in kinds_for(CALL, RBAC)}
        assert _gaps(tmp_path, capsys) == set()
        tried = set()
        for number, rule in enumerate(whole):
            (group,) = rule["apiGroups"]
            for resource in rule["resources"]:
                rest = [name for name in rule["resources"] if name != resource]
                less = [*whole[:number], *([{**rule, "resources": rest}] if rest else []), *whole[number + 1 :]]
                installed.set_rules(ROLE, less)
                installed.wait_until(False, "list", group, resource)
                missing = kinds[group, resource]
                assert missing in {gap.partition(" ")[0] for gap in _gaps(tmp_path, capsys)}, (group, resource)
                tried.add((group, resource))
        assert tried == kinds.keys()


def _gaps(folder: Path, capsys: pytest.CaptureFixture[str]) -> set[str]:
    """What the report of a run in this process says was not read; each gap is a refusal."""
    config = folder / "nothing.yaml"
    question = "{as: ann, can: list pods, expect: unknown}"  # what reads roles and bindings
    config.write_text(f"checks: [{{name: little, lint: {{select: [MC110]}}}}, {{questions: [{question}]}}]\nreport: {{log: none}}\n")
    main(["job", "--config", str(config), "--report-dir", str(folder / "out")])
    capsys.readouterr()
    gaps = json.loads((folder / "out" / "report.json").read_text())["gaps"]
    assert all("forbidden" in gap["reason"] for gap in gaps)
    return {gap["what"] for gap in gaps}


def test_requests_to_the_api_server_are_judged_by_its_own_roles(world: ApiServer, tmp_path: Path) -> None:
    """`can` and `whoCan` over real roles and bindings, as the API server itself answers; they are read because somebody asks."""
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "delete"]}]
    rbac = "rbac.authorization.k8s.io"
    path = f"/apis/{rbac}/v1/namespaces/shop"
    world.request("POST", f"{path}/roles", {"metadata": {"name": "pods"}, "rules": rules})
    subjects = [{"kind": "ServiceAccount", "name": "web", "namespace": "shop"}, {"kind": "Group", "apiGroup": rbac, "name": "devs"}]
    reference = {"apiGroup": rbac, "kind": "Role", "name": "pods"}
    world.request("POST", f"{path}/rolebindings", {"metadata": {"name": "pods"}, "roleRef": reference, "subjects": subjects})
    asked = [
        {"id": "delete", "as": "sa/shop/web", "can": "delete pods", "namespace": "shop"},
        {"id": "list", "as": "sa/shop/web", "can": "list pods", "namespace": "shop", "expect": "denied"},
        {"id": "elsewhere", "as": "sa/shop/web", "can": "delete pods", "namespace": "default"},
        {"id": "own", "as": "sa/meshcheck/meshcheck", "can": "list authorizationpolicies.security.istio.io", "allNamespaces": True},
        {"id": "who", "whoCan": "delete pods", "namespace": "shop", "only": ["group/*"]},
        {"id": "all", "whoCan": "delete pods", "namespace": "shop", "only": ["group/devs", "sa/shop/*"]},
    ]
    installed = Installed(world, rendered("defaults", "--set", "rbac.readRoles=true"), tmp_path)
    config = json.dumps({"checks": [{"name": "api", "questions": asked}], "report": {"configMap": {"name": "meshcheck-report"}}})
    (installed.config / "job.yaml").write_text(config)
    assert installed.run().returncode == 0
    report = installed.report()
    assert report["gaps"] == []
    found = {answer["id"]: answer for answer in report["checks"][0]["questions"]}
    assert {id: answer["result"] for id, answer in found.items()} == {
        "delete": "passed", "list": "passed", "elsewhere": "failed", "own": "passed", "who": "failed", "all": "passed",
    }  # fmt: skip
    assert found["delete"]["decided_by"]["kind"] == "RoleBinding"
    assert "sa/shop/web by RoleBinding shop/pods" in found["who"]["causes"][0]
    assert found["elsewhere"]["fixes"]
    for id, verb, namespace in (("delete", "delete", "shop"), ("list", "list", "shop"), ("elsewhere", "delete", "default")):
        user = {"user": "system:serviceaccount:shop:web", "groups": ["system:serviceaccounts", "system:authenticated"]}
        review = {"spec": {**user, "resourceAttributes": {"verb": verb, "resource": "pods", "namespace": namespace}}}
        answer = world.request("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
        assert answer["status"]["allowed"] is (found[id]["verdict"] == "allowed")


def test_roles_that_may_not_be_read_make_a_refusal_unknown(world: ApiServer, tmp_path: Path) -> None:
    """What was not read may grant it; what is granted by what was read stays so."""
    installed = Installed(world, rendered("defaults", "--set", "rbac.readRoles=true"), tmp_path)
    rules = installed.rules(ROLE)
    for rule in rules:
        if "rolebindings" in rule["resources"]:
            rule["resources"] = ["roles"]
    installed.set_rules(ROLE, rules)
    installed.wait_until(False, "list", "rbac.authorization.k8s.io", "rolebindings")
    asked = [
        {"id": "denied", "as": "sa/shop/web", "can": "delete pods", "namespace": "shop", "expect": "denied"},
        {"id": "cluster", "as": "sa/shop/web", "can": "list nodes", "expect": "denied"},
        {"id": "own", "as": "sa/meshcheck/meshcheck", "can": "list pods", "allNamespaces": True},
        {"id": "who", "whoCan": "delete pods", "namespace": "shop", "only": ["group/devs"]},
    ]
    (installed.config / "job.yaml").write_text(json.dumps({"checks": [{"name": "api", "questions": asked}], "report": {"configMap": {}}}))
    assert installed.run().returncode == 0
    found = {answer["id"]: answer for answer in installed.report()["checks"][0]["questions"]}
    results = {id: answer["result"] for id, answer in found.items()}
    assert results == {"denied": "unknown", "cluster": "passed", "own": "passed", "who": "unknown"}
    assert "RoleBindings of namespace shop could not be listed: forbidden" in found["denied"]["missing"][0]


@pytest.mark.parametrize("verb", ["create", "patch"])
def test_each_verb_of_the_reports_role_is_needed(world: ApiServer, tmp_path: Path, verb: str) -> None:
    """Without it the report does not arrive; that is an error, which says what is missing."""
    installed = Installed(world, rendered(), tmp_path)
    (rule,) = installed.rules(REPORT_ROLE)
    assert rule["verbs"] == ["create", "patch"]
    installed.set_rules(REPORT_ROLE, [{**rule, "verbs": [other for other in rule["verbs"] if other != verb]}])
    installed.wait_until(False, verb, "", "configmaps", NAMESPACE, "meshcheck-report")
    done = installed.run()
    assert done.returncode == 2
    assert "cannot be written: 403" in done.stderr


def test_events_tell_each_refusal_once(world: ApiServer, tmp_path: Path) -> None:
    """Not again in the next run, which knows the last report; again after it was gone for a while."""
    installed = Installed(world, rendered("defaults", "--set", "events=true", *ASKING), tmp_path)
    assert installed.run().returncode == 0
    (event,) = _events(world)
    assert (event["reason"], event["type"], event["reportingController"]) == ("CallDenied", "Warning", "meshcheck.io/job")
    assert "403 RBAC: access denied" in event["note"]
    assert installed.run().returncode == 0
    assert len(_events(world)) == 1
    path = "/apis/security.istio.io/v1/namespaces/shop/authorizationpolicies/cart-viewer"
    policy = world.request("GET", path)
    methods = [{"op": "replace", "path": "/spec/rules/0/to/0/operation/methods", "value": ["GET", "DELETE"]}]
    world.request("PATCH", path, methods, content_type="application/json-patch+json")
    assert installed.run().returncode == 0
    assert len(_events(world)) == 1
    methods[0]["value"] = policy["spec"]["rules"][0]["to"][0]["operation"]["methods"]
    world.request("PATCH", path, methods, content_type="application/json-patch+json")
    assert installed.run().returncode == 0
    assert len(_events(world)) == 2


@pytest.mark.parametrize(
    ("path", "verb", "group", "resource"), [(ROLE, "create", "events.k8s.io", "events"), (REPORT_ROLE, "get", "", "configmaps")]
)
def test_events_need_their_rights(world: ApiServer, tmp_path: Path, path: str, verb: str, group: str, resource: str) -> None:
    installed = Installed(world, rendered("defaults", "--set", "events=true", *ASKING), tmp_path)
    rules = installed.rules(path)
    for rule in rules:
        if resource in rule["resources"] and verb in rule["verbs"]:
            rule["verbs"] = [other for other in rule["verbs"] if other != verb] or ["none"]
    installed.set_rules(path, rules)
    if verb == "create":
        installed.wait_until(False, verb, group, resource, NAMESPACE)
    else:
        installed.set_rules(ROLE, [rule for rule in installed.rules(ROLE) if "configmaps" not in rule["resources"]])
        installed.wait_until(False, verb, group, resource, NAMESPACE, "meshcheck-report")
    done = installed.run()
    if verb == "create":
        assert done.returncode == 2
        assert "cannot be created: 403" in done.stderr
    else:  # without the last report every refusal counts as new, and that is said
        assert "the last report cannot be read" in done.stderr


def _events(server: ApiServer) -> list[Json]:
    found = server.request("GET", "/apis/events.k8s.io/v1/events")["items"]
    return [event for event in found if event["reason"] == "CallDenied"]


def test_a_report_larger_than_a_config_map_is_shortened(world: ApiServer, tmp_path: Path) -> None:
    """The real server takes it; the counts are those of everything."""
    installed = Installed(world, rendered("defaults", *ASKING), tmp_path)
    many = [{**CALL_THAT_FAILS, "id": f"q{n}"} for n in range(4000)]
    (installed.config / "questions.yaml").write_text(json.dumps(many))
    assert installed.run().returncode == 0
    report = installed.report()
    check = next(check for check in report["checks"] if check["kind"] == "questions")
    assert report["truncated"]
    assert check["counts"]["failed"] == 4000
    assert len(check["questions"]) + check["omitted"] == 4000
    assert 500 < len(check["questions"]) < 4000


def test_few_namespaces(world: ApiServer, tmp_path: Path) -> None:
    """With roles in some namespaces only: nothing is forbidden, the others are a gap, and what may be there is not taken for absent."""
    text = rendered("defaults", "--set", "namespaces={shop,istio-system}", "--set", "timeLimit=1m", *ASKING)
    installed = Installed(world, text, tmp_path)
    done = installed.run()
    assert done.returncode == 0, done.stderr
    assert "orbidden" not in done.stderr
    report = installed.report()
    assert any(gap["what"] == "AuthorizationPolicy" for gap in report["gaps"])
    (answer,) = next(check for check in report["checks"] if check["kind"] == "questions")["questions"]
    assert answer["verdict"] == "unknown"
    assert "VirtualServices of namespaces other than shop, istio-system" in " ".join(answer["missing"])


def test_nobody_is_let_in(server: ApiServer, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that is none: one line, exit status 2, and no report that looks like an answer."""
    monkeypatch.setenv("KUBECONFIG", server.kubeconfig(token="nonsense"))
    status = main(["job", "--report-dir", str(tmp_path / "out")])
    told = capsys.readouterr().err
    assert status == 2
    assert "401" in told
    assert "nonsense" not in told
    assert not (tmp_path / "out").exists()


@pytest.fixture(autouse=True)
def no_events(server: ApiServer) -> None:
    """Events of an earlier test are not ours."""
    for event in _events(server):
        meta = event["metadata"]
        server.request("DELETE", f"/apis/events.k8s.io/v1/namespaces/{meta['namespace']}/events/{meta['name']}")
