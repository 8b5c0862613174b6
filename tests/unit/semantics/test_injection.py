"""Which pods that are created get a sidecar: by the webhooks that are called for them, and by the injector's settings."""

from __future__ import annotations

from typing import Any

import pytest

from meshcheck.cli.world import build_world
from meshcheck.load.read import Reading
from meshcheck.model.cluster_kinds import MESH_CONFIG, cluster_kinds
from meshcheck.model.coverage import Coverage, Gap, whole
from meshcheck.model.injection import WEBHOOKS
from meshcheck.semantics.world.sidecars import Sidecar, sidecar_of
from tests.support.batch import ask
from tests.support.injectors import injector, text
from tests.support.manifests import app, space, thing

EVERYTHING = frozenset((*(k.heading for k in cluster_kinds() if k.heading), MESH_CONFIG))
DENIED = thing("security.istio.io/v1", "AuthorizationPolicy", "shop", "closed", "{}")


def workload(labels: str = "{}", notes: str = "{}") -> str:
    return f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: cart, namespace: shop}}
spec:
  selector: {{matchLabels: {{app: cart}}}}
  template: {{metadata: {{labels: {labels}, annotations: {notes}}}, spec: {{containers: [{{name: a, image: b}}]}}}}
"""


def settings(config: str, revision: str = "") -> str:
    lines = "".join(f"    {line}\n" for line in config.splitlines())
    name = f"istio-sidecar-injector{revision}"
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: istio-system}}\ndata:\n  config: |\n{lines}"


def sidecar(*documents: str, closed: bool = True, coverage: Coverage | None = None, stated: str = "") -> Sidecar:
    reading = Reading()
    reading.add_text("world.yaml", "---\n".join(documents))
    reading.coverage = coverage
    world = build_world(reading, closed=closed, sidecars=frozenset([stated] if stated else ()))
    found = world.find_workload("shop", "cart")
    assert found is not None
    return sidecar_of(world, found)


DEFAULT, CANARY = injector(), injector("canary")
INJECT = "sidecar.istio.io/inject"
CASES: list[tuple[str, list[Any], str, str, bool, str]] = [
    # what, webhooks, labels of the namespace, labels of the pod, injected, a part of the reason
    ("by the namespace", [DEFAULT], "istio-injection: enabled", "{}", True, "istio-injection=enabled"),
    ("by a revision that is there", [DEFAULT, CANARY], "istio.io/rev: canary", "{}", True, "istio.io/rev=canary"),
    ("by a revision that is gone", [DEFAULT], "istio.io/rev: canary", "{}", False, "none of Istio's webhooks is called"),
    ("by a tag", [CANARY, injector("canary", tag="prod")], "istio.io/rev: prod", "{}", True, "istio.io/rev=prod"),
    ("by no tag of that name", [CANARY], "istio.io/rev: prod", "{}", False, "none of Istio's webhooks"),
    ("no default revision", [CANARY], "istio-injection: enabled", "{}", False, "none of Istio's webhooks"),
    ("a tag is the default", [CANARY, injector("canary", tag="default")], "istio-injection: enabled", "{}", True, "enabled"),
    ("both labels: injection wins", [DEFAULT, CANARY], "{istio-injection: disabled, istio.io/rev: canary}", "{}", False, "disabled"),
    ("a switch that is none", [DEFAULT], "istio-injection: 'true'", f"{{{INJECT}: 'true'}}", False, "not `enabled`"),
    ("the pod asks", [DEFAULT], "a: b", f"{{{INJECT}: 'true'}}", True, "the pod's labels"),
    ("the pod asks a revision", [DEFAULT, CANARY], "a: b", "{istio.io/rev: canary}", True, "the pod's labels"),
    ("the pod asks, and nobody is there", [CANARY], "a: b", f"{{{INJECT}: 'true'}}", False, "none of Istio's webhooks"),
    ("the pod refuses", [DEFAULT], "istio-injection: enabled", f"{{{INJECT}: 'false'}}", False, "inject=false"),
    ("everywhere", [injector(everywhere=True)], "a: b", "{}", True, "auto.sidecar-injector.istio.io"),
    ("nothing asks", [DEFAULT], "a: b", "{}", False, "nothing asks"),
]


@pytest.mark.parametrize(("webhooks", "space_labels", "pod_labels", "injected", "why"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_webhooks(webhooks: list[Any], space_labels: str, pod_labels: str, injected: bool, why: str) -> None:
    """The same from files that hold everything and from a cluster."""
    documents = [space("shop", space_labels.strip("{}")), workload(pod_labels), text(*webhooks)]
    for coverage in (None, whole(EVERYTHING)):
        found = sidecar(*documents, coverage=coverage)
        assert (found.present, why in found.why) == (injected, True), found


def test_files_without_webhooks_mean_what_labels_mean() -> None:
    """Manifests rarely hold webhooks, also those that hold all else."""
    for closed in (True, False):
        assert sidecar(space("shop", "istio.io/rev: canary"), workload(), closed=closed).present is True
        assert sidecar(space("shop", "istio-injection: enable"), workload(), closed=closed).present is False


def test_a_cluster_without_webhooks_injects_nothing() -> None:
    found = sidecar(space("shop", "istio-injection: enabled"), workload(), coverage=whole(EVERYTHING))
    assert found.present is False
    assert "no webhook of Istio's" in found.why


def test_files_with_some_webhooks_may_lack_others() -> None:
    documents = [space("shop", "istio.io/rev: canary"), workload(), text(DEFAULT)]
    found = sidecar(*documents, closed=False)
    assert found.present is None
    assert "in the input" in found.why
    assert sidecar(*documents, closed=False, stated="shop").present is True
    assert sidecar(*documents, text(CANARY), closed=False).present is True


GAP = Coverage(EVERYTHING, (Gap(WEBHOOKS, WEBHOOKS, None, "could not be listed: forbidden", (), False),))


def test_webhooks_that_may_not_be_listed() -> None:
    """What labels ask for is likely then, and no more; pods that run go first, and so does what the user says."""
    documents = [space("shop", "istio-injection: enabled"), workload()]
    found = sidecar(*documents, coverage=GAP)
    assert (found.present, found.likely) == (None, True)
    assert found.why.startswith("MutatingWebhookConfigurations could not be listed: forbidden")
    assert sidecar(*documents, coverage=GAP, stated="shop").present is True
    plain = sidecar(space("shop", "a: b"), workload(), coverage=GAP)
    assert (plain.present, plain.likely) == (None, False)
    runs = "apiVersion: v1\nkind: Pod\nmetadata: {name: cart-1-x, namespace: shop, uid: u, ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: cart-1, uid: v, controller: true}]}\nspec: {containers: [{name: istio-proxy, image: i}]}\nstatus: {phase: Running, podIP: 10.0.0.1}\n"  # noqa: E501
    assert sidecar(*documents, runs, coverage=GAP).present is True


def test_unlisted_webhooks_make_no_answer_unknown_that_does_not_need_them() -> None:
    """Both with a sidecar and without, the call gets through; a policy makes the difference."""
    call: dict[str, Any] = {"id": "q", "from": {"namespace": "shop", "workload": "web"}, "to": {"url": "http://cart.shop/"}}
    base = [space("shop", "istio-injection: enabled"), app("shop", "web"), app("shop", "cart")]
    some = [*base, text(injector("canary"))]
    worlds = [{"id": name, "manifests": "---\n".join(made), "questions": [call]} for name, made in (("a", some), ("b", [*some, DENIED]))]
    found = ask(worlds, brief=False)
    assert found["b", "q"]["verdict"] == "unknown"
    assert "get a sidecar" in found["b", "q"]["missing"][0]["fact"]
    assert found["a", "q"]["verdict"] == "allowed"
    closed = ask([{**world, "closed_world": True} for world in worlds], brief=False)
    assert [closed[name, "q"]["verdict"] for name in "ab"] == ["allowed", "allowed"], "no webhook is called: there is no sidecar"


SETTINGS = [
    ("policy: disabled", "{}", "{}", False),
    ("policy: disabled", f"{{{INJECT}: 'true'}}", "{}", True),
    ("policy: disabled\nalwaysInjectSelector:\n- matchLabels: {app: cart}", "{app: cart}", "{}", True),
    ("policy: enabled\nneverInjectSelector:\n- matchExpressions: [{key: job-name, operator: Exists}]", "{job-name: x}", "{}", False),
    ("policy: enabled\nneverInjectSelector:\n- matchExpressions: [{key: job-name, operator: Exists}]", "{a: b}", "{}", True),
    ("policy: enabled\nneverInjectSelector: [{}]", "{a: b}", "{}", True),
    ("policy: sometimes", f"{{{INJECT}: 'true'}}", "{}", False),
    ("policy: enabled\ntemplates:\n  sidecar: |\n    {{ if .x }}\n    policy: disabled\n", "{}", "{}", True),
    ("policy: enabled", "{}", f"{{{INJECT}: 'false'}}", False),
    ("policy: enabled", "{}", "{inject.istio.io/templates: 'sidecar,spire'}", True),
    ("policy: enabled", "{}", "{inject.istio.io/templates: grpc-agent}", None),
    ("policy: enabled\ndefaultTemplates: [mine]", "{}", "{}", None),
]


@pytest.mark.parametrize(("config", "labels", "notes", "injected"), SETTINGS)
def test_settings(config: str, labels: str, notes: str, injected: bool | None) -> None:
    documents = [space("shop", "istio-injection: enabled"), workload(labels, notes), settings(config)]
    assert sidecar(*documents).present is injected
    assert sidecar(*documents, text(DEFAULT)).present is injected
    other = [space("shop", "istio.io/rev: canary"), workload(labels, notes), text(CANARY)]
    assert sidecar(*other, settings(config, "-canary")).present is injected


def test_conditions_of_a_webhook_are_a_missing_fact() -> None:
    webhooks = injector()
    for item in webhooks["webhooks"]:
        item["matchConditions"] = [{"name": "a", "expression": "true"}]
    world = [space("shop", "istio-injection: enabled"), workload()]
    assert sidecar(*world, text(webhooks)).present is True
    for item in webhooks["webhooks"]:
        item["matchConditions"] = [{"name": "a", "expression": "object.metadata.name != 'x'"}]
    found = sidecar(*world, text(webhooks))
    assert (found.present, "matchConditions" in found.why) == (None, True)


def test_webhooks_of_others_inject_nothing() -> None:
    """Datadog's paths begin with /inject, too; a webhook for other operations is none for pods that are created."""
    foreign, late = injector(), injector()
    for item in foreign["webhooks"]:
        item["name"], item["clientConfig"]["service"] = "datadog.webhook", {"name": "agent", "namespace": "d", "path": "/injectlib"}
    foreign["metadata"]["labels"] = {}
    for item in late["webhooks"]:
        item["rules"][0]["operations"] = ["UPDATE"]
    for webhooks in (foreign, late):
        found = sidecar(space("shop", "istio-injection: enabled"), workload(), text(webhooks), coverage=whole(EVERYTHING))
        assert found.present is False


def test_a_pod_that_ztunnel_has_captured() -> None:
    """The annotation is written on the node: a Pod that has it, from a dump as well, is in the ambient mesh; a template's says nothing."""
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: cart, namespace: shop, annotations: {ambient.istio.io/redirection: enabled}}\nspec: {containers: [{name: a, image: b}]}\n"  # noqa: E501
    found = sidecar(space("shop", "a: b"), pod)
    assert (found.present, found.ambient) == (False, True)
    found = sidecar(space("shop", "a: b"), workload("{}", "{ambient.istio.io/redirection: enabled}"))
    assert (found.present, found.ambient) == (False, False)
