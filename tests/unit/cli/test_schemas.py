"""What the commands print as JSON is what the schemas in the package say."""

from __future__ import annotations

import json
import shlex
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

from meshcheck.cli.main import main

SCENARIOS = sorted((Path(__file__).resolve().parents[3] / "manifests" / "scenarios").glob("*/manifests.yaml"))


def schema(name: str) -> jsonschema.Draft202012Validator:
    content = json.loads(files("meshcheck").joinpath("data", "schemas", f"{name}.v1.json").read_text())
    jsonschema.Draft202012Validator.check_schema(content)
    return jsonschema.Draft202012Validator(content)


@pytest.mark.parametrize("manifests", SCENARIOS, ids=lambda path: path.parent.name)
def test_answers_fit_their_schemas(manifests: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(manifests.parent)
    question = shlex.split((manifests.parent / "question.txt").read_text())
    for name, words in (("trace", question), ("lint", ["-f", "manifests.yaml"]), ("graph", ["-f", "manifests.yaml"])):
        main([name, *words, "-o", "json"])
        schema(name).validate(json.loads(capsys.readouterr().out))


_RBAC = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: shop}
rules: [{apiGroups: [""], resources: [pods], verbs: [get, list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: readers, namespace: shop}
subjects: [{kind: ServiceAccount, name: web, namespace: shop}, {kind: User, name: ann}]
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: dangling, namespace: shop}
subjects: [{kind: User, name: ann}]
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: nobody}
"""


@pytest.mark.parametrize(
    "words",
    [
        ["can", "--as", "sa/shop/web", "list", "pods", "-n", "shop"],
        ["can", "--as", "sa/shop/web", "delete", "pods", "-n", "shop"],
        ["can", "--as", "ann", "delete", "pods", "-n", "shop", "--closed-world"],
        ["can", "--as", "ann", "get", "/healthz", "--brief"],
        ["can", "--as", "bob", "get", "nodes"],
        ["who-can", "get", "pods", "-n", "shop"],
        ["can", "--who", "get", "/metrics"],
    ],
)
def test_answers_about_the_kubernetes_api_fit(words: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "rbac.yaml").write_text(_RBAC)
    main([*words, "-f", str(tmp_path), "-o", "json"])
    schema("can").validate(json.loads(capsys.readouterr().out))


def test_brief_answers_fit_as_well(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    question = {"id": "q", "from": {"ip": "10.0.0.9"}, "to": {"url": "http://cart.shop/"}}
    (tmp_path / "b").write_text(json.dumps({"id": "w", "manifests": [str(SCENARIOS[0])], "questions": [question]}))
    main(["trace", "--batch", str(tmp_path / "b"), "--brief"])
    schema("trace").validate(json.loads(capsys.readouterr().out)["trace"])
