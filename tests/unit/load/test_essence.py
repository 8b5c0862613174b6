"""What of an object is compared: all that decoders look at, and none of what moves by itself."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from meshcheck.decode.collect import collect
from meshcheck.load.cluster.essence import essence
from meshcheck.load.read import Reading

ROOT = Path(__file__).resolve().parents[3]
STATUS = {
    "Pod": {"phase": "Running", "podIP": "10.1.2.3", "podIPs": [{"ip": "10.1.2.3"}, {"ip": "fd00::1"}]},
    "Node": {"addresses": [{"type": "InternalIP", "address": "10.9.0.1"}]},
    "Service": {"loadBalancer": {"ingress": [{"ip": "203.0.113.9"}, {"hostname": "lb.example.com"}]}},
}
RESTLESS = {"observedGeneration": 7, "conditions": [{"type": "Ready", "status": "True"}], "replicas": 3, "containerStatuses": [{}]}


def everything() -> list[dict[str, Any]]:
    """The objects of all scenarios, with statuses as a cluster has them, and pods and nodes."""
    reading = Reading()
    reading.add_path(str(ROOT / "manifests" / "scenarios"))
    found = [copy.deepcopy(document.value) for document in reading.documents]
    found += [
        {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}},
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "uid": "u"}, "spec": {"containers": [{"name": "c"}]}},
    ]
    for value in found:
        value["status"] = {**RESTLESS, **STATUS.get(value["kind"], {})}
    return found


def decoded(value: dict[str, Any]) -> str:
    """What the decoders make of one object, in words."""
    reading = Reading()
    reading.add_values("x", [value])
    return repr(dict(collect(reading.documents).objects))


def test_nothing_that_decoders_look_at_is_left_out() -> None:
    values = everything()
    assert {"Pod", "Node", "Service", "AuthorizationPolicy", "HTTPRoute", "Ingress"} <= {value["kind"] for value in values}
    for value in values:
        assert decoded(value) == decoded(essence(value)), value


@pytest.mark.parametrize("kind", STATUS)
def test_status_that_matters_is_compared(kind: str) -> None:
    """And decoders do see it, or this table would be too long."""
    value = next(v for v in everything() if v["kind"] == kind)
    for field in STATUS[kind]:
        less = copy.deepcopy(value)
        del less["status"][field]
        assert essence(less) != essence(value)
    if kind == "Pod":
        away = copy.deepcopy(value)
        away["status"]["conditions"] = [{"type": "Ready", "status": "False"}]
        assert essence(away) != essence(value)
        assert decoded(away) != decoded(value)
    bare = copy.deepcopy(value)
    del bare["status"]
    if kind != "Service":
        assert decoded(bare) != decoded(value)


def test_what_moves_by_itself_is_not_compared() -> None:
    meta: dict[str, Any] = {"name": "a", "resourceVersion": "1", "generation": 1}
    value = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"a": "b"}}
    notes = {"control-plane.alpha.kubernetes.io/leader": "me"}
    other = {**value, "metadata": {**meta, "resourceVersion": "2", "generation": 2, "annotations": notes}}
    assert essence(value) == essence(other)
    notes["a"] = "b"
    assert essence(value) != essence(other)
