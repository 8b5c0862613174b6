"""Classes of requests between a caller and a target, and what differs between two worlds."""

from __future__ import annotations

import pytest

from meshcheck.analyse.between import compare, requests_between
from meshcheck.analyse.classes import Classes
from meshcheck.analyse.shape import Shape
from meshcheck.cli.world import build_world
from meshcheck.load.read import Reading
from meshcheck.model.question import Caller, Target
from meshcheck.semantics.tracing.trace import trace
from meshcheck.semantics.world import World

MESH = """
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec: {selector: {app: cart}, ports: [{name: http, port: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, namespace: shop}
spec:
  selector: {matchLabels: {app: cart}}
  template: {metadata: {labels: {app: cart}}, spec: {serviceAccountName: cart, containers: [{name: a, image: a}]}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {serviceAccountName: web, containers: [{name: a, image: a}]}}
"""
ALLOW = """
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: cart, namespace: shop}
spec:
  selector: {matchLabels: {app: cart}}
  action: ALLOW
  rules: [%s]
"""
REWRITE = """
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: cart, namespace: shop}
spec:
  hosts: [cart]
  http:
  - match: [{uri: {prefix: /old/}}]
    rewrite: {uri: /new/}
    route: [{destination: {host: cart, port: {number: 8080}}}]
  - route: [{destination: {host: cart, port: {number: 8080}}}]
"""
WEB, CART = Caller(namespace="shop", workload="web"), Target(host="cart.shop", port=8080)


def world(text: str) -> World:
    """A closed world of a text."""
    reading = Reading()
    reading.add_text("test", text)
    return build_world(reading, closed=True)


def said(classes: Classes) -> dict[str, str]:
    """Verdicts by description."""
    return {one.description: one.verdict for one in classes.classes}


def allow(rule: str) -> World:
    """The mesh with one ALLOW rule."""
    return world(MESH + ALLOW % rule)


def test_without_policies_there_is_one_class() -> None:
    """Nothing looks at the request, so all requests are one class."""
    found = requests_between(world(MESH), WEB, CART)
    assert said(found) == {"any request": "allowed"}
    assert found.exact


def test_methods_and_paths_part_the_requests() -> None:
    """Each class has a witness that the engine answers alike."""
    mesh = allow("{to: [{operation: {methods: [GET], paths: [/api/*]}}]}")
    found = requests_between(mesh, WEB, CART)
    assert sorted(one.verdict for one in found.classes) == ["allowed", "denied", "denied"]
    for one in found.classes:
        assert trace(mesh, one.witness, explain=False).verdict == one.verdict
    (good,) = found.of("allowed")
    assert (good.witness.method, good.witness.path[:5]) == ("GET", "/api/")
    assert good.policy is not None
    assert good.policy.name == "cart"


def test_a_shape_narrows_the_requests() -> None:
    """Of the GETs on /api/ none is denied."""
    found = requests_between(allow("{to: [{operation: {methods: [GET], paths: [/api/*]}}]}"), WEB, CART, Shape(("GET",), ("/api/*",)))
    assert [one.verdict for one in found.classes] == ["allowed"]


def test_a_rule_that_no_request_meets() -> None:
    """A path that is excluded in the same operation leaves no class that is allowed."""
    found = requests_between(allow("{to: [{operation: {paths: [/api/x], notPaths: [/api/*]}}]}"), WEB, CART)
    assert not found.of("allowed")
    assert found.exact


def test_rewritten_paths_are_followed_back() -> None:
    """The policy sees the path after the rewrite; the class names the path that the caller sends."""
    found = requests_between(world(MESH + REWRITE + ALLOW % "{to: [{operation: {paths: [/new/items]}}]}"), WEB, CART)
    assert found.exact
    assert sorted(one.witness.path for one in found.of("allowed")) == ["/new/items", "/old/items"]


def test_a_regular_expression_that_cannot_be_said_makes_it_inexact() -> None:
    """Consumers must not take the classes for all there is."""
    strange = REWRITE.replace("prefix: /old/", "regex: '/\\bx.*'")
    assert not requests_between(world(MESH + strange), WEB, CART).exact


def test_too_many_classes_are_said() -> None:
    """A bound that is reached makes the result inexact."""
    rules = ", ".join(f"{{to: [{{operation: {{paths: [/p{n}]}}}}]}}" for n in range(9))
    found = requests_between(allow(rules), WEB, CART, most=5)
    assert len(found.classes) == 5
    assert not found.exact


def test_what_a_change_opens_and_closes() -> None:
    """The change has a witness that the two worlds answer differently."""
    old, new = allow("{to: [{operation: {methods: [GET]}}]}"), allow("{to: [{operation: {paths: [/api/*]}}]}")
    found = compare(old, new, WEB, CART)
    assert found.exact
    (opened,) = [change for change in found.changes if change.opens]
    (closed,) = [change for change in found.changes if change.closes]
    for change in (opened, closed):
        assert trace(old, change.witness, explain=False).verdict == change.old.verdict
        assert trace(new, change.witness, explain=False).verdict == change.new.verdict
    assert opened.witness.method != "GET"
    assert closed.witness.method == "GET"


@pytest.mark.parametrize("rule", ["{}", "{to: [{operation: {paths: [/a, /b/*]}}]}"])
def test_the_same_world_has_no_changes(rule: str) -> None:
    """Nothing differs, and that is proven."""
    found = compare(allow(rule), allow(rule), WEB, CART)
    assert found.exact
    assert not found.changes
