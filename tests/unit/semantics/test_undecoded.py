"""What an object says that could not be decoded is not known: no "allowed" beside it, and a refusal that it cannot undo stands."""

from __future__ import annotations

import pytest

from meshcheck.cli.questions import question_of
from meshcheck.cli.world import build_world
from meshcheck.load.read import Reading
from meshcheck.model.trace import Trace
from meshcheck.semantics.tracing.trace import trace
from tests.support.manifests import app, space, thing

DENY = thing("security.istio.io/v1", "AuthorizationPolicy", "shop", "no", "{action: DENY, rules: [{}]}")
PLUGIN = "extensions.istio.io/v1alpha1"
CALICO = "apiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\nmetadata: {name: lock}\nspec: [1]\n"


def ask(*texts: str) -> Trace:
    """The web calls the cart in a closed world."""
    reading = Reading()
    reading.add_text("world.yaml", "---\n".join([space("shop"), app("shop", "web"), app("shop", "cart"), *texts]))
    asked = {"id": "q", "from": {"namespace": "shop", "workload": "web"}, "to": {"url": "http://cart.shop/"}, "method": "GET"}
    return trace(build_world(reading, closed=True), question_of(asked))


@pytest.mark.parametrize("text", [CALICO, thing(PLUGIN, "WasmPlugin", "shop", "p", "{selector: 7}")])
def test_a_call_that_would_be_allowed(text: str) -> None:
    """Unknown, with the object's name."""
    found = ask(text)
    assert found.verdict == "unknown"
    assert "is of an unexpected form" in found.missing[0].fact


def test_an_object_of_another_namespace() -> None:
    """It has no say."""
    assert ask(thing(PLUGIN, "WasmPlugin", "elsewhere", "p", "{selector: 7}")).verdict == "allowed"


def test_a_refusal_that_it_cannot_undo() -> None:
    """A plugin does not admit what a DENY policy refuses."""
    assert ask(DENY, thing(PLUGIN, "WasmPlugin", "shop", "p", "{selector: 7}")).verdict == "denied"
