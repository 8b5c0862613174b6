"""meshcheck puts sidecars into the pods into which Istio's own injector puts them."""

from __future__ import annotations

import json
import os
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from meshcheck.cli.world import build_world
from meshcheck.load.read import Reading
from meshcheck.semantics.world.sidecars import sidecar_of

pytestmark = pytest.mark.oracle
HERE = Path(__file__).resolve().parent
Json = dict[str, Any]
PODS = 3000
SAID = [None, None, "true", "false", "", "yes", "True"]
SPACES = ["shop", "shop", "shop", "kube-system", "kube-public", "kube-node-lease", "local-path-storage"]


@pytest.fixture(scope="module")
def injector() -> str:
    found = Path(os.environ.get("MESHCHECK_INJECTOR") or HERE / "istiod-config" / "injector" / "injector")
    if not found.is_file():
        how = "`cd tests/oracle/istiod-config && go build -o injector/injector ./injector`, or name one in MESHCHECK_INJECTOR"
        pytest.skip(f"Istio's injector cannot be asked: {how}")
    return str(found)


def selector(draw: random.Random) -> Json:
    """A label selector; some are empty, some are wrong."""
    key, values = draw.choice([("app", ["web", "api"]), ("tier", ["front", "back"]), ("job-name", ["x"]), ("not a key", ["a"])])
    pick = draw.random()
    if pick < 0.1:
        return {}
    if pick < 0.5:
        return {"matchLabels": {key: draw.choice(values)}}
    operator = draw.choice(["In", "NotIn", "Exists", "DoesNotExist", "Near"])
    some = draw.sample(values, k=draw.randint(0, len(values))) if draw.random() < 0.8 else ["not a value"]
    return {"matchExpressions": [{"key": key, "operator": operator, **({"values": some} if some else {})}]}


def settings(draw: random.Random) -> Json:
    out: Json = {"policy": draw.choice(["enabled", "enabled", "enabled", "disabled", "disabled", "off", ""])}
    for name in ("neverInjectSelector", "alwaysInjectSelector"):
        if draw.random() < 0.6:
            out[name] = [selector(draw) for _ in range(draw.randint(0, 2))]
    return {**out, "template": "{{ Old }}", "templates": {"sidecar": "metadata:\n  labels: {a: '{{ .x }}'}\n"}}


def pod(draw: random.Random) -> Json:
    labels = {k: v for k, v in (("app", draw.choice(["web", "api"])), ("tier", draw.choice(["front", "back"]))) if draw.random() < 0.7}
    notes = {}
    for where in (labels, notes):
        if (said := draw.choice(SAID)) is not None:
            where["sidecar.istio.io/inject"] = said
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": draw.choice(SPACES), "labels": labels, "annotations": notes},
        "spec": {"containers": [{"name": "a", "image": "b"}], "hostNetwork": draw.random() < 0.05},
    }


def ours(asked: Json, config: str) -> bool | None:
    """What meshcheck says of a pod for which the webhook is called."""
    everything = {"operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*"]}
    called = {"name": "sidecar-injector.istio.io", "clientConfig": {"url": "https://istiod/inject"}, "rules": [everything]}
    reading = Reading()
    reading.add_objects(
        [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": asked["metadata"]["namespace"]}},
            {
                "apiVersion": "admissionregistration.k8s.io/v1",
                "kind": "MutatingWebhookConfiguration",
                "metadata": {"name": "istio-sidecar-injector"},
                "webhooks": [called],
            },
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "istio-sidecar-injector", "namespace": "istio-system"},
                "data": {"config": config},
            },
            asked,
        ]
    )
    world = build_world(reading, closed=True)
    return sidecar_of(world, world.inventory.of("Workload")[0]).present


def test_pods(injector: str) -> None:
    draw = random.Random(7)
    asked = [(pod(draw), yaml.safe_dump(settings(draw), sort_keys=draw.random() < 0.5)) for _ in range(PODS)]
    lines = "".join(json.dumps({"config": config, "pod": value}) + "\n" for value, config in asked)
    done = subprocess.run([injector], input=lines, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    real = [line == "true" for line in done.stdout.split()]
    assert len(real) == PODS
    wrong = [(value, config, theirs) for (value, config), theirs in zip(asked, real) if ours(value, config) is not theirs]
    assert not wrong, wrong[0]
    assert PODS / 10 < sum(real) < PODS * 9 / 10, "both answers are common"
