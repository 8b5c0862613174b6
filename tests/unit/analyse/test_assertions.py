"""Statements about calls: whom they mean, and whether they hold; each counterexample is a call that the trace engine answers so."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from meshcheck.analyse.alike import Alike
from meshcheck.analyse.assertions.assertion import Judgement
from meshcheck.analyse.assertions.judge import judge
from meshcheck.analyse.assertions.read import read_assertions
from meshcheck.analyse.assertions.select import caller_of
from meshcheck.analyse.ends import End, Party
from meshcheck.cli.world import build_world
from meshcheck.load.read import Reading
from meshcheck.model.question import Caller, Question, Target
from meshcheck.semantics.tracing.trace import trace
from meshcheck.semantics.world import World


def deployment(namespace: str, name: str, labels: str = "") -> str:
    """A workload with an account of its own name."""
    return f"""
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}{labels}}}}}
    spec: {{serviceAccountName: {name}, containers: [{{name: a, image: a, ports: [{{containerPort: 8080}}]}}]}}
"""


MESH = (
    """
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Namespace
metadata: {name: ops, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec: {selector: {app: cart}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: cart, namespace: shop}
spec:
  selector: {matchLabels: {app: cart}}
  action: ALLOW
  rules:
  - from: [{source: {principals: [cluster.local/ns/shop/sa/web]}}]
    to: [{operation: {methods: [GET], paths: [/api/*]}}]
"""
    + deployment("shop", "cart")
    + deployment("shop", "web")
    + deployment("shop", "db", ", tier: data")
    + deployment("ops", "robot")
    + deployment("ops", "helper")
)
OPS = """
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: probes, namespace: shop}
spec:
  action: ALLOW
  rules: [{from: [{source: {namespaces: ["ops*"]}}], to: [{operation: {paths: [/metrics]}}]}]
"""
ISOLATED = """
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: cart, namespace: shop}
spec:
  podSelector: {matchLabels: {app: cart}}
  ingress: [{from: [{podSelector: {matchLabels: {tier: data}}}]}]
"""


def world(text: str = MESH, closed: bool = True) -> World:
    """The World of a text."""
    reading = Reading()
    reading.add_text("test", text)
    return build_world(reading, closed=closed)


def judged(statement: str, text: str = MESH, closed: bool = True) -> Judgement:
    """Whether a statement (YAML in one line) holds."""
    found, wrong = read_assertions({"tests": [yaml.safe_load(statement)]}, "test")
    assert not wrong, wrong
    return judge(world(text, closed), found.assertions[0])


@pytest.mark.parametrize(
    ("statement", "outcome"),
    [
        ("{from: shop/web, to: 'shop/cart:80', methods: GET, paths: /api/*, expect: allowed}", "holds"),
        ("{from: shop/web, to: 'shop/cart:80', methods: GET, paths: /*, expect: allowed}", "fails"),
        ("{from: shop/web, to: shop/cart, methods: [POST, DELETE], expect: denied}", "holds"),
        ("{from: shop/web, to: shop/cart, expect: denied}", "fails"),
        ("{from: {of: workloads, except: shop/web}, to: shop/cart, expect: denied}", "holds"),
        ("{from: {of: '*/*', except: [shop/*, ops/*]}, to: shop/cart, expect: denied}", "fails"),
        ("{from: {namespaces: ops}, to: {namespaces: shop, names: cart}, status: 403}", "holds"),
        ("{from: {labels: {tier: data}}, to: shop/cart, expect: denied}", "holds"),
        ("{from: {serviceAccounts: web}, to: shop/cart, expect: denied}", "fails"),
        ("{from: sa/shop/web, to: 'http://cart.shop/api/x', methods: GET, expect: allowed}", "holds"),
        ("{from: ops/robot, to: shop/cart, expect: denied, by: AuthorizationPolicy shop/cart}", "holds"),
        ("{from: ops/robot, to: shop/cart, expect: denied, by: other}", "fails"),
        ("{from: ops/robot, to: shop/cart, status: 401}", "fails"),
        ("{from: shop/nobody, to: shop/cart, expect: denied}", "fails"),
        ("{from: shop/web, to: shop/nothing, expect: denied}", "fails"),
        ("{from: external, to: shop/cart, expect: allowed}", "fails"),
        ("{from: any, to: ops/robot, expect: denied}", "fails"),
    ],
)
def test_statements_about_a_closed_world(statement: str, outcome: str) -> None:
    """Callers, targets and requests as words, globs, labels and exceptions."""
    assert judged(statement).outcome == outcome


@pytest.mark.parametrize(
    "statement", ["{from: shop/web, to: shop/cart, expect: denied}", "{from: shop/web, to: 'shop/cart:80', expect: allowed}"]
)
def test_counterexamples_are_true(statement: str) -> None:
    """The engine gives the verdict that the example shows."""
    found = judged(statement)
    assert found.examples
    for example in found.examples:
        assert trace(world(), example.question).verdict == example.verdict != found.assertion.expect


def test_a_workload_that_is_not_in_the_input_may_get_through() -> None:
    """In an open world `any` means callers that nobody wrote down, with whatever identity a rule admits."""
    statement = "{from: {of: workloads, except: [shop/*, ops/*]}, to: shop/cart, expect: denied}"
    found = judged(statement, MESH + OPS, closed=False)
    assert found.outcome == "fails"
    callers = [example.question.caller for example in found.examples]
    assert any(str(caller.namespace).startswith("ops") and caller.namespace != "ops" for caller in callers)
    assert judged(statement.replace("denied}", "denied, strangers: false}"), MESH + OPS, closed=False).outcome == "fails"
    assert judged(statement, MESH, closed=False).outcome == "holds"


def test_what_depends_on_a_missing_fact_is_unknown() -> None:
    """Not said to hold, not said to fail."""
    text = MESH.replace("kind: Namespace\nmetadata: {name: shop, labels", "kind: Namespace\nmetadata: {name: other, labels")
    found = judged("{from: ops/robot, to: shop/cart, expect: denied, strangers: false}", text, closed=False)
    assert found.outcome == "unknown"
    assert "Namespace" in found.why


def test_status_without_a_refusal_is_wrong() -> None:
    """Everything that is wrong is said, with the field."""
    content = {"tests": [{"from": "x", "too": "a/b", "expect": "denyed", "paths": ["api"]}, {"from": "a/b", "to": "c/d"}], "test": 1}
    _, wrong = read_assertions(content, "test")
    said = "\n".join(item.message for item in wrong)
    parts = ["names no callers", "needs `to`", "did you mean `denied`", "begins with `/`", "did you mean `to`", "says nothing", "`tests`"]
    assert [part for part in parts if part not in said] == []


@pytest.mark.parametrize("text", [MESH, MESH + OPS, MESH + ISOLATED, MESH + OPS + ISOLATED])
def test_callers_that_are_put_together_fare_alike(text: str) -> None:
    """Each caller of a group gets the verdict of all others, for every request that is tried."""
    mesh = world(text)
    parties = [Party(caller_of(mesh, w), w) for w in mesh.workloads]
    (cart,) = [w for w in mesh.workloads if w.name == "cart"]
    for target in (Target(host="cart.shop", port=80), Target(namespace="shop", pod="cart", port=8080)):
        groups = Alike(mesh).groups(parties, End(target, "http", (cart,)), Question(Caller(), target, headers={}))
        assert len(groups) < len(parties)
        for group in groups:
            for method, path in (("GET", "/api/x"), ("POST", "/"), ("GET", "/metrics")):
                asked = [Question(p.caller, target, "http", method, path, headers={}) for p in group]
                answers: set[Any] = {(t.verdict, t.symptom.status, t.symptom.kind) for t in (trace(mesh, q) for q in asked)}
                assert len(answers) == 1
