"""`meshcheck who-can`, and `trace --who-can-change`: who may change what decides about a call."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from meshcheck.cli.main import main

ROOT = Path(__file__).resolve().parents[3]
WORLD = str(ROOT / "manifests/scenarios/method-not-allowed/manifests.yaml")
CALL = ("--from", "shop/frontend", "--to", "http://cart.shop/api/items", "-X", "DELETE")
ROLES = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: viewer-editor, namespace: shop}
rules:
- {apiGroups: [security.istio.io], resources: [authorizationpolicies], resourceNames: [cart-viewer], verbs: [update, patch, create]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: team, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: viewer-editor}
subjects: [{kind: ServiceAccount, name: deployer}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: mesh-admin}
rules:
- {apiGroups: [security.istio.io], resources: ["*"], verbs: ["*"]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: mesh-admins}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: mesh-admin}
subjects: [{kind: Group, name: platform, apiGroup: rbac.authorization.k8s.io}]
"""


@pytest.fixture
def roles(tmp_path: Path) -> str:
    path = tmp_path / "roles.yaml"
    path.write_text(ROLES)
    return str(path)


def changes(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    main(["trace", "-f", WORLD, *CALL, "--who-can-change", "-o", "json", *words])
    answer = json.loads(capsys.readouterr().out)
    schema = json.loads(files("meshcheck").joinpath("data", "schemas", "trace.v1.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(answer)
    found: dict[str, Any] = answer["who_can_change"]
    return found


def subjects(found: dict[str, Any], kind: str, namespace: str, name: str | None) -> dict[str, list[str]]:
    """Verbs by subject, without Kubernetes' own."""
    ref = next(i for i in found["objects"] if [i["object"][k] for k in ("kind", "namespace", "name")] == [kind, namespace, name])
    return {f"{s['kind']} {s['name']}": s["verbs"] for s in ref["subjects"] if s["namespace"] != "kube-system" and ":" not in s["name"]}


def test_who_can_is_can_who(roles: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Both print the same, and end with the same status."""
    request = ["patch", "authorizationpolicies.security.istio.io", "cart-viewer", "-n", "shop"]
    status = main(["who-can", "-f", roles, *request])
    mine = capsys.readouterr().out
    assert (main(["can", "-f", roles, "--who", *request]), capsys.readouterr().out) == (status, mine)
    assert status == 0
    assert "ServiceAccount shop/deployer  RoleBinding shop/team → Role shop/viewer-editor rules[0]" in mine


def test_nobody(roles: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 1 where only the masters of the cluster may."""
    assert main(["who-can", "-f", roles, "frobnicate", "widgets.example.com", "-n", "shop", "--closed-world"]) == 1
    assert "1 may frobnicate" in capsys.readouterr().out


def test_objects_of_the_path(roles: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The policy that decides and the mTLS mode, each with its own changers; a rule with a name lets nobody create."""
    found = changes(capsys, "-f", roles)
    assert found["known"]
    assert subjects(found, "AuthorizationPolicy", "shop", "cart-viewer") == {
        "Group platform": ["update", "patch", "delete"],
        "ServiceAccount deployer": ["update", "patch"],
    }
    assert subjects(found, "PeerAuthentication", "istio-system", "default") == {"Group platform": ["update", "patch", "delete"]}
    assert subjects(found, "AuthorizationPolicy", "shop", None) == {"Group platform": ["create"]}
    assert subjects(found, "AuthorizationPolicy", "istio-system", None) == {"Group platform": ["create"]}
    assert subjects(found, "NetworkPolicy", "shop", None) == {}
    assert not any(i["object"]["kind"] == "NetworkPolicy" and i["object"]["namespace"] == "istio-system" for i in found["objects"])


def test_places_are_those_of_the_rules(roles: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each subject comes with the binding, the role, the rule and its line."""
    found = changes(capsys, "-f", roles)
    item = next(i for i in found["objects"] if i["object"]["name"] == "cart-viewer")
    subject = next(s for s in item["subjects"] if s["name"] == "deployer")
    assert (subject["binding"]["name"], subject["role"]["name"], subject["rule"]) == ("team", "viewer-editor", 0)
    assert ROLES.splitlines()[subject["place"]["line"] - 1].startswith(
        "- {apiGroups: [security.istio.io], resources: [authorizationpolicies]"
    )


def test_unknown_without_roles(capsys: pytest.CaptureFixture[str]) -> None:
    """An input without Roles says nothing about who may change what, and never that nobody may."""
    found = changes(capsys)
    assert (found["known"], found["objects"]) == (False, [])
    assert "holds no Roles" in found["missing"][0]
    main(["trace", "-f", WORLD, *CALL, "--who-can-change"])
    assert "Missing who may change these objects" in capsys.readouterr().out


def test_a_closed_world_without_roles_knows(capsys: pytest.CaptureFixture[str]) -> None:
    """Then there are none, but for Kubernetes' own."""
    found = changes(capsys, "--closed-world")
    assert found["known"]
    assert subjects(found, "AuthorizationPolicy", "shop", "cart-viewer") == {}


def test_text_and_markdown(roles: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Subjects that may do the same stand together, and the status is that of the verdict."""
    assert main(["trace", "-f", WORLD, "-f", roles, *CALL, "--who-can-change"]) == 1
    text = capsys.readouterr().out
    assert "new AuthorizationPolicies, PeerAuthentications, RequestAuthentications in shop and istio-system" in text
    assert "ServiceAccount shop/deployer  update, patch" in text
    assert main(["trace", "-f", WORLD, "-f", roles, *CALL, "--who-can-change", "-o", "markdown"]) == 1
    assert "- **Who may change it**" in capsys.readouterr().out


def test_a_fix_is_a_patch_that_can_be_pasted(roles: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`can` prints the change of a role as kubectl takes it."""
    words = [
        "can",
        "-f",
        roles,
        "--as",
        "sa/shop/deployer",
        "delete",
        "authorizationpolicies.security.istio.io",
        "cart-viewer",
        "-n",
        "shop",
    ]
    assert main(words) == 1
    line = next(line for line in capsys.readouterr().out.splitlines() if "kubectl patch" in line)
    assert line.strip() == (
        """kubectl patch role viewer-editor -n shop --type=json -p '[{"op": "add", "path": "/rules/0/verbs/-", "value": "delete"}]'"""
    )
