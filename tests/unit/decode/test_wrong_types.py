"""A field of the wrong type is refused by the cluster; the rest of the object still says who may call whom."""

from __future__ import annotations

from typing import Any

from meshcheck.cli.world import build_world
from meshcheck.load.read import Reading
from meshcheck.model.question import Caller, Question, Target
from meshcheck.semantics.tracing.trace import trace
from meshcheck.semantics.world import World

MANIFESTS = """
{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {istio-injection: enabled}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, namespace: shop}
spec:
  selector: {matchLabels: {app: cart}}
  template:
    metadata: {labels: {app: cart}}
    spec:
      serviceAccountName: [cart]
      dnsPolicy: 7
      containers: [{name: true, image: cart, ports: [{name: 8, containerPort: 8080}]}]
---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec:
  selector: {app: cart}
  ports: [{name: true, port: 80, targetPort: 8080, appProtocol: 1}]
"""


def _world() -> World:
    reading = Reading(exact=True)
    reading.add_text("spoilt.yaml", MANIFESTS)
    return build_world(reading, closed=True)


def test_values_that_are_no_text_are_taken_as_absent() -> None:
    """An account that is a list is `default`, a port's name that is a boolean is none."""
    world = _world()
    workload: Any = world.find_workload("shop", "cart")
    service: Any = world.service("shop", "cart")
    assert (workload.service_account, workload.dns_policy, workload.containers) == ("default", "ClusterFirst", ("",))
    assert (workload.ports[0].name, service.ports[0].name, service.ports[0].app_protocol) == ("", "", None)


def test_a_trace_of_such_an_object_has_an_answer() -> None:
    """The call is traced by what is right."""
    question = Question(Caller(namespace="shop", workload="cart"), Target(host="cart.shop", port=80), headers={})
    assert trace(_world(), question).verdict == "allowed"
