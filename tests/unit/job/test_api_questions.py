"""Questions about the API server's RBAC in the job's configuration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from meshcheck.cli.job import read_question
from meshcheck.cli.main import main
from meshcheck.job.settings import QuestionCheck
from meshcheck.job.settings_file import SettingsError, SettingsFile
from meshcheck.load import exact_yaml
from meshcheck.model.cluster_kinds import CALL, RBAC
from tests.unit.job.test_settings import SCHEMA

RBAC_OF_SHOP = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: web, namespace: shop}
rules: [{apiGroups: [""], resources: [pods], verbs: [get, delete]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: web, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: web}
subjects:
- {kind: ServiceAccount, name: web, namespace: shop}
- {kind: Group, name: devs, apiGroup: rbac.authorization.k8s.io}
"""


def asked(tmp_path: Path, question: str, *words: str) -> tuple[int, dict[str, Any]]:
    (tmp_path / "rbac.yaml").write_text(RBAC_OF_SHOP)
    (tmp_path / "job.yaml").write_text(f"checks: [{{questions: [{question}]}}]")
    files = ["-f", str(tmp_path / "rbac.yaml"), "--report-dir", str(tmp_path / "out")]
    status = main(["job", "--config", str(tmp_path / "job.yaml"), *files, *words])
    (answer,) = json.loads((tmp_path / "out" / "report.json").read_text())["checks"][0]["questions"]
    return status, answer


@pytest.mark.parametrize(
    ("question", "closed", "open_world"),
    [
        ("{as: sa/shop/web, can: get pods, namespace: shop}", "passed", "passed"),
        ("{as: sa/shop/web, can: [delete, pods, one], namespace: shop}", "passed", "passed"),
        ("{as: ann, asGroups: [devs], can: get pods, namespace: shop}", "passed", "passed"),
        ("{as: sa/shop/web, can: list pods, namespace: shop}", "failed", "failed"),
        ("{as: sa/shop/other, can: list pods, namespace: shop}", "failed", "unknown"),
        ("{as: sa/shop/other, can: list pods, namespace: shop, expect: denied}", "passed", "unknown"),
        ("{as: ann, can: get /metrics, expect: denied}", "passed", "unknown"),
        ("{whoCan: delete pods, namespace: shop, only: [group/devs, sa/shop/*]}", "passed", "unknown"),
        ("{whoCan: delete pods, namespace: shop, only: group/devs}", "failed", "failed"),
        ("{whoCan: delete pods, namespace: other, only: group/devs}", "passed", "unknown"),
    ],
)
def test_answers_against_what_is_wanted(tmp_path: Path, question: str, closed: str, open_world: str) -> None:
    """Of files nobody says what else there is: then only what is granted, or refused by what was read, is known."""
    statuses = {"passed": 0, "failed": 1, "unknown": 3}
    status, answer = asked(tmp_path, question, "--closed-world")
    assert (answer["result"], status) == (closed, statuses[closed])
    status, answer = asked(tmp_path, question)
    assert (answer["result"], status) == (open_world, statuses[open_world])
    SCHEMA.validate(exact_yaml.read((tmp_path / "job.yaml").read_text()))


def test_an_answer_says_why(tmp_path: Path) -> None:
    _, answer = asked(tmp_path, "{as: sa/shop/web, can: list pods, namespace: shop}", "--closed-world")
    assert answer["call"] == "ServiceAccount shop/web list pods in namespace shop"
    assert answer["headline"].startswith("✗ 403 Forbidden — no binding grants it; the nearest: RoleBinding shop/web")
    assert answer["causes"]
    assert answer["fixes"]
    _, answer = asked(tmp_path, "{whoCan: delete pods, namespace: shop, only: sa/shop/web}", "--closed-world")
    assert answer["headline"] == "1 may, and should not: group/devs"
    assert answer["decided_by"]["name"] == "web"
    assert answer["causes"] == ["group/devs by RoleBinding shop/web and Role shop/web rules[0]"]


def test_roles_are_read_only_where_somebody_asks_about_them(tmp_path: Path) -> None:
    def uses(text: str) -> tuple[str, ...]:
        (tmp_path / "job.yaml").write_text(text)
        return SettingsFile(str(tmp_path / "job.yaml"), read_question).read().uses

    assert uses("checks: [{lint: {}}]") == (CALL,)
    assert uses("checks: [{questions: [{from: a/b, to: 'http://c/'}]}]") == (CALL,)
    assert uses("checks: [{lint: {}}, {questions: [{as: ann, can: get pods}]}]") == (CALL, RBAC)


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("{can: get pods}", "`as` is missing"),
        ("{as: ann, can: get}", "say what"),
        ("{as: deploy/shop/web, can: get pods}", "name its service account"),
        ("{as: ann, can: get pods, whoCan: get pods, only: x}", "say one of them"),
        ("{whoCan: get pods}", "must say who may and nobody else"),
        ("{as: ann, whoCan: get pods, only: x}", "`as` has no place there"),
        ("{as: ann, can: get pods, from: a/b}", "is no field here"),
        ("{as: ann, can: get pods, expect: 403}", "none of allowed, denied, unknown"),
        ("{as: ann, can: {}}", "must be text"),
        ("{as: 3, can: get pods}", "must be text"),
        ("{as: ann, can: get pods, asGroups: x}", "`asGroups` must be a list of texts"),
    ],
)
def test_wrong_questions_are_said_with_their_place(tmp_path: Path, question: str, told: str) -> None:
    (tmp_path / "job.yaml").write_text(f"checks:\n- questions:\n  - {question}\n")
    with pytest.raises(SettingsError, match=r"job\.yaml:3:") as error:
        SettingsFile(str(tmp_path / "job.yaml"), read_question).read()
    assert told in str(error.value)


def test_questions_of_both_kinds_stand_beside_each_other(tmp_path: Path) -> None:
    text = "checks: [{questions: [{from: a/b, to: 'http://c/'}, {id: r, as: ann, can: get pods}]}]"
    (tmp_path / "job.yaml").write_text(text)
    (check,) = SettingsFile(str(tmp_path / "job.yaml"), read_question).read().checks
    assert isinstance(check, QuestionCheck)
    assert [one.id for one in check.asked] == ["a/b → GET http://c/", "r"]
    with pytest.raises(jsonschema.ValidationError):
        SCHEMA.validate(exact_yaml.read(text.replace("as: ann, ", "")))
