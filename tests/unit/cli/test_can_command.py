"""`meshcheck can`: the words it takes, the answers it gives, exit statuses, batches."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from meshcheck.cli.main import main

MANIFEST = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: shop}
rules:
- {apiGroups: [""], resources: [pods], verbs: [get, list]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: web-reads, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects:
- {kind: ServiceAccount, name: web}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: front, namespace: shop}
spec: {template: {spec: {serviceAccountName: web}}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec: {group: example.com, scope: Cluster, names: {plural: widgets, singular: widget, kind: Widget, shortNames: [wd]}}
"""


@pytest.fixture
def manifest(tmp_path: Path) -> str:
    path = tmp_path / "rbac.yaml"
    path.write_text(MANIFEST)
    return str(path)


def ask(capsys: pytest.CaptureFixture[str], manifest: str, *words: str) -> tuple[int, str]:
    status = main(["can", "-f", manifest, *words])
    return status, capsys.readouterr().out


def request_of(capsys: pytest.CaptureFixture[str], manifest: str, *words: str) -> dict[str, Any]:
    request: dict[str, Any] = json.loads(ask(capsys, manifest, *words, "-o", "json")[1])["request"]
    return request


def test_allowed_names_binding_role_and_rule_with_their_lines(manifest: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The verdict is the first line."""
    status, out = ask(capsys, manifest, "--as", "sa/shop/web", "list", "pods", "-n", "shop")
    assert status == 0
    assert out.splitlines()[0] == "✓ allowed — ServiceAccount shop/web may list pods in namespace shop"
    assert "RoleBinding shop/web-reads names ServiceAccount shop/web" in out
    assert "rbac.yaml:12" in out
    assert "Role shop/reader rules[0]" in out
    assert "rbac.yaml:5" in out


def test_denied_says_what_the_server_says_what_was_near_and_what_would_help(manifest: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The 403, the failing field with its line, and a change that was tried out."""
    status, out = ask(capsys, manifest, "--as", "sa/shop/web", "watch", "pods", "-n", "shop", "--closed-world")
    assert status == 1
    assert out.splitlines()[0].startswith("✗ 403 Forbidden — ServiceAccount shop/web may not watch pods")
    assert 'pods is forbidden: User "system:serviceaccount:shop:web" cannot watch resource "pods"' in out
    assert "✗ verbs — has get, list; asked is watch" in out
    assert "Fix      add `watch` to rules[0].verbs of Role shop/reader (checked" in out
    assert "name: web-watch-pods" in out


def test_unknown_names_the_missing_fact(manifest: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing about this user is in the input."""
    status, out = ask(capsys, manifest, "--as", "ann", "list", "pods", "-n", "shop")
    assert status == 3
    assert "Missing  RoleBindings in namespace shop and ClusterRoleBindings for User ann" in out


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
@pytest.mark.parametrize(("verb", "status"), [("list", 0), ("watch", 1)])
def test_the_exit_status_does_not_depend_on_the_form(
    manifest: str, form: str, verb: str, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """All forms of output."""
    assert ask(capsys, manifest, "--as", "sa/shop/web", verb, "pods", "-n", "shop", "-o", form)[0] == status


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["--as", "sa/shop/web", "get", "deploy", "x"], {"resource": "deployments", "group": "apps", "name": "x", "namespace": "default"}),
        (["--as", "sa/web", "-n", "shop", "get", "po"], {"user": "system:serviceaccount:shop:web", "namespace": "shop"}),
        (["--as", "deploy/shop/front", "get", "po"], {"user": "system:serviceaccount:shop:web"}),
        (["--as", "user/ann", "--as-group", "devs", "get", "po"], {"user": "ann", "groups": ["devs", "system:authenticated"]}),
        (["--as", "system:anonymous", "get", "po"], {"groups": ["system:unauthenticated"]}),
        (["--as", "ann", "get", "nodes", "-n", "shop"], {"resource": "nodes", "namespace": ""}),
        (["--as", "ann", "get", "po", "-A"], {"namespace": ""}),
        (["--as", "ann", "get", "ns", "shop"], {"resource": "namespaces", "name": "shop", "namespace": "shop"}),
        (["--as", "ann", "patch", "deployments.v1.apps/scale"], {"resource": "deployments", "group": "apps", "subresource": "scale"}),
        (["--as", "ann", "get", "gateways"], {"group": "gateway.networking.k8s.io"}),
        (["--as", "ann", "get", "gw"], {"group": "networking.istio.io", "resource": "gateways"}),
        (["--as", "ann", "get", "wd"], {"group": "example.com", "resource": "widgets", "namespace": ""}),
        (["--as", "ann", "get", "things.example.org"], {"group": "example.org", "resource": "things"}),
        (["--as", "ann", "get", "/healthz"], {"verb": "get", "path": "/healthz"}),
        (["--as", "ann", "GET", "/api/v1/namespaces/shop/pods?watch=1"], {"verb": "watch", "resource": "pods", "namespace": "shop"}),
        (
            ["--message", 'pods "x" is forbidden: User "ann" cannot get resource "pods/log" in API group "" in the namespace "a"'],
            {"user": "ann", "verb": "get", "resource": "pods", "subresource": "log", "name": "x", "namespace": "a"},
        ),
    ],
)
def test_words_are_understood_as_kubectl_does(
    manifest: str, words: list[str], wanted: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """Short names, kinds, groups with versions, workloads, paths, messages."""
    request = request_of(capsys, manifest, *words)
    assert {key: request[key] for key in wanted} == wanted


def test_json_holds_near_misses_and_fixes(manifest: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With places and patches."""
    out = json.loads(ask(capsys, manifest, "--as", "sa/shop/web", "watch", "pods", "-n", "shop", "-o", "json")[1])
    assert (out["schema"], out["verdict"], out["allowed"], out["decided_by"]) == ("meshcheck/can/v1", "denied", False, None)
    assert out["near_misses"][0]["failing"][0] == {
        "field": "verbs",
        "path": "rules[0].verbs",
        "wanted": ["get", "list"],
        "actual": "watch",
    }
    assert out["near_misses"][0]["place"]["line"] == 5
    assert out["fixes"][0]["patches"][0]["patch"][0]["value"] == "watch"


def test_who_lists_subjects(manifest: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One a line; Kubernetes' own are counted."""
    status, out = ask(capsys, manifest, "--who", "list", "pods", "-n", "shop")
    assert status == 0
    assert "ServiceAccount shop/web  RoleBinding shop/web-reads → Role shop/reader rules[0]" in out
    assert "of Kubernetes' own" in out
    subjects = json.loads(ask(capsys, manifest, "--who", "list", "pods", "-n", "shop", "-o", "json")[1])["subjects"]
    assert {"kind": "ServiceAccount", "name": "web", "namespace": "shop"}.items() <= subjects[-1].items() or len(subjects) > 20


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["list", "pods"],
        ["--as", "ann"],
        ["--as", "ann", "list"],
        ["--as", "", "list", "pods"],
        ["--as", "sa/", "list", "pods"],
        ["--as", "sa/a/b/c", "list", "pods"],
        ["--as", "deploy/shop/nobody", "list", "pods"],
        ["--as", "ann", "list", "pods/"],
        ["--as", "ann", "list", "/x", "y"],
        ["--as", "ann", "list", ".apps"],
        ["--as", "ann", "list", "pods", "a", "b"],
        ["--message", "no refusal"],
        ["--batch", "x", "-o", "json"],
        ["--batch", "/nowhere"],
    ],
)
def test_wrong_use_is_status_2_in_one_line(manifest: str, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """No traceback, and a word on what would be right."""
    assert main(["can", "-f", manifest, *words]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    "rules",
    ["5", "[5]", "[{verbs: 5}]", "[{verbs: [5]}]", "{}", "null", "[null]", '[{verbs: ["*"], apiGroups: [null], resources: [{}]}]'],
)
def test_odd_objects_are_no_accident(tmp_path: Path, rules: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What the API server refuses is named on standard error; the answer is without it."""
    path = tmp_path / "a.yaml"
    path.write_text(f"apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {{name: a}}\nrules: {rules}\n")
    assert main(["can", "-f", str(path), "--as", "ann", "list", "pods"]) == 3
    assert "Traceback" not in capsys.readouterr().err


def _rows(capsys: pytest.CaptureFixture[str], path: Path, lines: list[str], *more: str) -> tuple[int, list[dict[str, Any]]]:
    path.write_text("\n".join(lines) + "\n")
    status = main(["can", "--batch", str(path), "-o", "jsonl", *more])
    return status, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_batch_goes_on_after_bad_lines(tmp_path: Path, manifest: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each question has its answer, in order; manifests are text, paths or objects."""
    question = {"id": "q", "user": "system:serviceaccount:shop:web", "verb": "list", "group": "", "resource": "pods", "namespace": "shop"}
    binding = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "x"}}
    binding |= {"roleRef": {"kind": "ClusterRole", "name": "view"}, "subjects": [{"kind": "User", "name": "ann"}]}
    lines = [
        json.dumps({"id": 1, "manifests": MANIFEST, "questions": [question, {**question, "verb": "watch"}, {**question, "user": "ann"}]}),
        "{",
        "[]",
        json.dumps({"id": 2, "manifests": [manifest], "closed_world": True, "questions": [{**question, "user": "ann"}]}),
        json.dumps({"id": 3, "manifests": [binding], "questions": [{**question, "user": "ann"}, {**question, "groups": []}]}),
        json.dumps({"id": 4, "manifests": ["/nowhere"], "questions": [question]}),
        json.dumps({"id": 5, "questions": [question]}),
        json.dumps(
            {"id": 6, "manifests": MANIFEST, "questions": [5, {}, {"user": "\ud800", "verb": "x", "path": "/"}, {**question, "verb": []}]}
        ),
    ]
    status, rows = _rows(capsys, tmp_path / "batch", lines)
    assert status == 2
    assert [(row["id"], row.get("allowed", "error")) for row in rows] == [
        *[(1, True), (1, False), (1, None), (None, "error"), (None, "error"), (2, False), (3, True), (3, None), (4, "error"), (5, "error")],
        *[(6, "error"), (6, "error"), (6, None), (6, "error")],
    ]
    assert rows[0]["decided_by"]["binding"]["name"] == "web-reads"
    assert (rows[0]["decided_by"]["role"]["name"], rows[0]["decided_by"]["rule"]) == ("reader", 0)
    assert rows[0]["reason"] == 'RBAC: allowed by RoleBinding "web-reads/shop" of Role "reader" to ServiceAccount "web/shop"'
    assert rows[1]["message"].startswith("pods is forbidden: User")
    assert "fails on verbs" in rows[1]["reason"]
    assert rows[2]["missing"]


def test_a_brief_batch_has_the_same_verdicts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Only the words are fewer."""
    question = {"id": "q", "user": "ann", "verb": "get", "path": "/healthz"}
    line = json.dumps({"id": 1, "manifests": MANIFEST, "closed_world": True, "questions": [question, {**question, "verb": "post"}]})
    assert [row["allowed"] for row in _rows(capsys, tmp_path / "batch", [line], "--brief")[1]] == [True, False]
