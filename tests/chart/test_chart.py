"""The chart: renders with every kind of values, asks for no more than it needs, and the plain manifests are made of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from meshcheck.cli.job import read_question
from meshcheck.job.assertions import read_assertion_file
from meshcheck.job.settings import AssertionCheck, Settings
from meshcheck.job.settings_file import SettingsFile
from meshcheck.model.cluster_kinds import CALL, RBAC, kinds_for
from tests.chart.rendering import CHART, ROOT, VALUES, generator, helm, objects, of, pods, rendered, template


def settings_of(text: str, tmp_path: Path) -> Settings:
    """What the job makes of the rendered configuration."""
    (config,) = (item for item in of(text, "ConfigMap") if item["metadata"]["name"].endswith("-config"))
    for name, content in config["data"].items():
        (tmp_path / name).write_text(content)
    return SettingsFile(str(tmp_path / "job.yaml"), read_question).read()


@pytest.mark.parametrize("name", VALUES)
def test_helm_lint_strict(name: str) -> None:
    values = VALUES[name]
    done = helm("lint", "--strict", str(CHART), "--kube-version", generator().KUBERNETES, *(("--values", str(values)) if values else ()))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", VALUES)
def test_objects_are_named_once_and_in_the_namespace(name: str) -> None:
    found = [(item["kind"], item["metadata"].get("namespace"), item["metadata"]["name"]) for item in objects(rendered(name))]
    assert len(found) == len(set(found))
    assert found
    for kind, namespace, _ in found:
        if kind.startswith("Cluster"):
            assert namespace is None
        else:
            assert namespace in ("meshcheck", "shop", "istio-system")


@pytest.mark.parametrize("name", VALUES)
def test_the_configuration_is_one_that_the_job_takes(name: str, tmp_path: Path) -> None:
    settings = settings_of(rendered(name), tmp_path)
    assert settings.config_map == (None if name == "few-rights" else ("", "meshcheck-report"))


def test_questions_and_outputs_arrive_in_the_configuration(tmp_path: Path) -> None:
    settings = settings_of(rendered("everything"), tmp_path)
    asked = [asked.id for check in settings.checks for asked in getattr(check, "asked", ())]
    assert asked == ["shop/frontend → GET http://cart.shop/", "checkout", "outside", "secrets", "policies"]
    assert settings.uses == (CALL, RBAC)
    (assertions,) = (check for check in settings.checks if isinstance(check, AssertionCheck))
    names = [assertion.name for path in assertions.paths for assertion in read_assertion_file(path)[0].assertions]
    assert names == ["text", "values"]
    assert settings.push == "http://pushgateway.monitoring:9091"
    assert settings.events
    assert settings_of(rendered("few-rights"), tmp_path).namespaces == ("shop", "istio-system")


@pytest.mark.parametrize("name", VALUES)
def test_containers_are_locked_down(name: str) -> None:
    """What the Pod Security Standard `restricted` asks for, and a file system that cannot be written."""
    found = pods(rendered(name))
    assert found
    for pod in found:
        spec, (container,) = pod["spec"], pod["spec"]["containers"]
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] > 0
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["limits"]["memory"]
        assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
    for account in of(rendered(name), "ServiceAccount"):
        assert account["automountServiceAccountToken"] is False


@pytest.mark.parametrize(("name", "verbs"), [("defaults", ["list"]), ("everything", ["list", "watch"]), ("few-rights", ["list"])])
def test_the_role_is_the_table_of_kinds_and_nothing_more(name: str, verbs: list[str]) -> None:
    """Roles and bindings are in it only where `rbac.readRoles` is on."""
    uses = (CALL, RBAC) if name == "everything" else (CALL,)
    granted = set()
    for role in of(rendered(name), "ClusterRole"):
        for rule in role["rules"]:
            if rule["apiGroups"] == ["events.k8s.io"]:
                assert (name, rule["resources"], rule["verbs"]) == ("everything", ["events"], ["create"])
                continue
            assert rule["verbs"] == verbs
            granted |= {(group, resource) for group in rule["apiGroups"] for resource in rule["resources"]}
    assert granted == {(kind.group, kind.plural) for kind in kinds_for(*uses)}
    assert not any("secret" in resource for _, resource in granted)


def test_with_namespaces_the_cluster_wide_role_holds_kinds_of_the_cluster_only() -> None:
    text = rendered("few-rights")
    roles = {role["metadata"]["name"]: role for role in of(text, "ClusterRole")}
    (binding,) = of(text, "ClusterRoleBinding")
    wide = roles[binding["roleRef"]["name"]]
    plurals = {resource for rule in wide["rules"] for resource in rule["resources"]}
    assert plurals == {kind.plural for kind in kinds_for(CALL) if not kind.namespaced}
    assert {b["metadata"]["namespace"] for b in of(text, "RoleBinding")} == {"shop", "istio-system"}


def test_without_rbac_and_account_nothing_of_them_is_made() -> None:
    text = rendered("foreign-account")
    assert {item["kind"] for item in objects(text)} == {"ConfigMap", "Deployment"}
    assert pods(text)[0]["spec"]["serviceAccountName"] == "given"


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("cronjob.enabled=true", "cronjob"),
        ("checks[0].name=a", "checks/0"),
        ("watch.port=80", "watch/port"),
        ("report.log=xml", "report/log"),
        ("metrics.push=http://user:word@push", "metrics/push"),
        ("timeLimit=5", "timeLimit"),
        ("image.digest=sha256:1", "image/digest"),
        ("assertions.notes=x", "'notes'"),
    ],
)
def test_wrong_values_are_refused(setting: str, told: str) -> None:
    done = template("--set", setting)
    assert done.returncode != 0
    assert told in done.stderr.replace(".", "/")


@pytest.mark.parametrize("question", ["can=get secrets,questions[0].as=ann", "whoCan=get secrets,questions[0].only=group/x"])
def test_questions_about_rbac_need_the_right_to_read_it(question: str) -> None:
    """A role does not get wider in silence, and a question is not asked in vain."""
    refused = template("--set", f"questions[0].{question}")
    assert refused.returncode != 0
    assert "need rbac.readRoles: true" in refused.stderr
    assert template("--set", f"questions[0].{question}", "--set", "rbac.readRoles=true").returncode == 0
    assert template("--set", f"questions[0].{question}", "--set", "rbac.create=false").returncode == 0


def test_every_value_is_explained_and_in_the_table() -> None:
    """Stale? Run manifests/install/generate.py."""
    schema = json.loads((CHART / "values.schema.json").read_text())
    defaults = yaml.safe_load((CHART / "values.yaml").read_text())

    def walk(properties: dict[str, Any], values: dict[str, Any], where: str) -> None:
        assert values.keys() <= properties.keys(), where
        for name, found in properties.items():
            assert found.get("description"), f"{where}{name}"
            if "properties" in found:
                assert found["additionalProperties"] is False, f"{where}{name}"
                walk(found["properties"], values[name], f"{where}{name}.")

    walk(schema["properties"], defaults, "")
    assert generator().README.read_text() == generator().readme()
    assert "| `watch.port` | `8080` |" in generator().readme()


def test_the_rules_are_those_of_the_code() -> None:
    """Stale? Run manifests/install/generate.py."""
    assert generator().RULES.read_text() == generator().rules_template()


def test_the_plain_manifests_are_the_chart() -> None:
    """Stale? Run manifests/install/generate.py."""
    template()
    found = {path.name: content for path, content in generator().manifests()}
    kept = {path.name: path.read_text() for path in (ROOT / "manifests" / "install").glob("*.yaml")}
    assert found.keys() == kept.keys()
    for name, content in found.items():
        assert kept[name] == content, f"{name} is stale"


def test_notes_say_how_to_see_the_report() -> None:
    done = helm("install", "meshcheck", str(CHART), "-n", "meshcheck", "--dry-run=client", "--kube-version", generator().KUBERNETES)
    if done.returncode:  # a helm that asks a cluster first
        done = template("--show-only", "templates/NOTES.txt")
    notes = done.stdout.partition("NOTES:")[2]
    assert "kubectl -n meshcheck get configmap meshcheck-report" in notes or "could not find" in done.stderr


def test_versions_agree() -> None:
    from meshcheck import __version__

    assert yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"] == __version__
