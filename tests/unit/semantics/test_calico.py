"""What Calico's policies do to calls: symptoms, missing facts, reasons with their fields, and what analyses make of them."""

from __future__ import annotations

from typing import Any

import pytest

from meshcheck.analyse.connections import address_borders, port_borders
from meshcheck.analyse.wires import Wires
from meshcheck.cli.questions import question_of
from meshcheck.cli.world import build_world
from meshcheck.explain.causes import causes_of
from meshcheck.explain.fixes import fixes_of
from meshcheck.load.read import Reading
from meshcheck.model.trace import ALLOWED, DENIED, UNKNOWN, Fix, Station, Trace
from meshcheck.semantics.tracing.trace import trace
from meshcheck.semantics.world import World
from tests.support.manifests import app, space, thing

WEB, API = {"namespace": "shop", "workload": "web"}, {"namespace": "data", "workload": "api", "port": 8080}
BASE = (space("shop", "a: b"), space("data", "a: b"), app("shop", "web"), app("data", "api"))

V3 = "projectcalico.org/v3"
ONLY_WEB = "{selector: \"app == 'api'\", ingress: [{action: Allow, protocol: TCP, source: {selector: \"app == 'web'\", namespaceSelector: \"projectcalico.org/name == 'shop'\"}, destination: {ports: [8080]}}]}"  # noqa: E501
GLOBAL = "apiVersion: projectcalico.org/v3\nkind: {0}\nmetadata: {{name: {1}}}\nspec: {2}\n"


def read(*documents: str) -> Reading:
    """A small world of two namespaces, as it was written."""
    reading = Reading()
    reading.add_text("world.yaml", "---\n".join((*BASE, *documents)))
    return reading


def world(*documents: str, closed: bool = True) -> World:
    """The same, decoded."""
    return build_world(read(*documents), closed=closed)


def first_fix(document: str) -> Fix:
    """The best way past a policy."""
    reading = read(document)
    made = build_world(reading, closed=True)
    return fixes_of(made, ask(made), reading.value_of)[0]


def ask(found: World, source: dict[str, Any] = WEB, target: dict[str, Any] = API, **more: Any) -> Trace:
    """The answer of a world."""
    return trace(found, question_of({"id": "q", "from": source, "to": target, **more}))


def station(found: Trace) -> Station:
    """The station of network policies that does not let the call through."""
    return next(s for hop in found.hops for s in hop.stations if s.name == "network-policy" and s.verdict != ALLOWED)


def test_a_refusal_names_the_rule_and_its_field() -> None:
    """The rule that denies is the cause, with its place; what it looks at stands under it."""
    deny = thing(
        V3,
        "NetworkPolicy",
        "data",
        "shut",
        "{selector: all(), ingress: [{action: Log}, {action: Deny, source: {namespaceSelector: \"projectcalico.org/name == 'shop'\"}}]}",
    )
    made = world(deny)
    found = ask(made)
    assert found.verdict == DENIED
    assert found.symptom.kind == "timeout"
    decider = station(found).decider
    assert decider is not None
    assert decider.field == ("spec", "ingress", 1)
    cause = causes_of(made, found)[0]
    assert cause.field[:3] == ("spec", "ingress", 1)
    assert "rule 1 denies it" in cause.message


def test_the_nearest_miss_is_the_cause() -> None:
    """Of the rules that could let a call through the one that lacks least comes first, with field, wanted and given."""
    other = "{selector: \"app == 'api'\", order: 5, ingress: [{action: Allow, protocol: UDP, source: {selector: \"app == 'x'\"}}, {action: Deny, source: {selector: \"app == 'y'\"}}]}"  # noqa: E501
    made = world(
        thing(V3, "NetworkPolicy", "data", "near", ONLY_WEB.replace("8080", "9090")), thing(V3, "NetworkPolicy", "data", "far", other)
    )
    found = ask(made)
    assert found.verdict == DENIED
    cause = causes_of(made, found)[0]
    assert cause.object is not None
    assert cause.object.name == "near"
    assert "spec.ingress[0].destination.ports wants 9090, the call has TCP 8080" in cause.message
    assert not any("Deny" in reason.text for reason in station(found).reasons)


def test_fixes_are_tried_out() -> None:
    """A port is added to the rule that lacks it; in front of a rule that denies stands one that allows."""
    near = thing(V3, "NetworkPolicy", "data", "near", ONLY_WEB.replace("8080", "9090"))
    added = first_fix(near)
    assert added.verified
    assert added.patches[0][1] == ({"op": "add", "path": "/spec/ingress/0/destination/ports/-", "value": 8080},)
    deny = GLOBAL.format("GlobalNetworkPolicy", "deny", "{order: 1, selector: all(), types: [Ingress], ingress: [{action: Deny}]}")
    first = first_fix(deny)
    assert first.verified
    step = first.patches[0][1][0]
    assert step["path"] == "/spec/ingress/0"
    assert step["value"]["source"]["namespaceSelector"] == "projectcalico.org/name == 'shop'"


@pytest.mark.parametrize(
    ("settings", "symptom"), [("{iptablesFilterDenyAction: Reject}", "refused"), ("{iptablesFilterDenyAction: Drop}", "timeout")]
)
def test_felix_may_answer_what_it_denies(settings: str, symptom: str) -> None:
    """With the deny action Reject the caller is refused at once, instead of waiting."""
    found = ask(
        world(thing(V3, "NetworkPolicy", "data", "shut", "{selector: all()}"), GLOBAL.format("FelixConfiguration", "default", settings))
    )
    assert (found.verdict, found.symptom.kind) == (DENIED, symptom)


def test_two_plugins_cannot_both_enforce() -> None:
    """Policies of Cilium and of Calico for one pod: nobody knows which are enforced; for others both are silent."""
    cilium = thing("cilium.io/v2", "CiliumNetworkPolicy", "data", "c", "{endpointSelector: {}, ingress: [{}]}")
    calico = thing(V3, "NetworkPolicy", "data", "k", "{selector: \"app == 'none'\"}")
    found = ask(world(cilium, calico))
    assert found.verdict == UNKNOWN
    assert "Cilium and of Calico" in found.missing[0].fact


@pytest.mark.parametrize(
    ("rule", "fact"),
    [
        ("source: {serviceAccounts: {selector: \"a == 'b'\"}, namespaceSelector: all()}", "service account are not in the input"),
        ("source: {nets: [10.0.0.0/8]}", "its address is not in the input"),
        ("source: {services: {name: x, namespace: dev}}", "whether shop/web is an endpoint of Service dev/x"),
        ("protocol: TCP, source: {ports: [99]}", "which port shop/web sends from"),
        ("source: {domains: [a.example]}", "`domains`"),
    ],
)
def test_facts_that_are_missing(rule: str, fact: str) -> None:
    """What was not read is named, where the answer hangs on it; where it does not, it is not."""
    spec = f"{{selector: all(), ingress: [{{action: Allow, {rule}}}]}}"
    found = ask(world(thing(V3, "NetworkPolicy", "data", "k", spec), closed=False))
    assert found.verdict == UNKNOWN
    assert fact in " ".join(m.fact for m in found.missing)
    certain = ask(world(thing(V3, "NetworkPolicy", "data", "k", spec[:-2] + ", {action: Allow}]}"), closed=False))
    assert certain.verdict == ALLOWED


def test_network_sets_that_nobody_has_read() -> None:
    """A selector that means nothing in the input may mean a set of addresses that is not in it, as long as not all sets are known."""
    spec = "{selector: all(), ingress: [{action: Allow, source: {selector: \"net == 'office'\", namespaceSelector: all()}}]}"
    policy, outside = thing(V3, "NetworkPolicy", "data", "k", spec), {"external": True}
    found = ask(world(policy, closed=False), {**outside}, source_ip="203.0.113.7")
    assert found.verdict == UNKNOWN
    assert "network set" in found.missing[0].fact
    assert ask(world(policy), {**outside}, source_ip="203.0.113.7").verdict == DENIED
    pods = ask(
        world(policy, app("shop", "desk", labels={"app": "desk", "net": "office"}), closed=False), {**outside}, source_ip="203.0.113.7"
    )
    assert pods.verdict == DENIED


def test_borders_of_what_policies_tell_apart() -> None:
    """Ports and addresses of Calico's rules and sets are borders of analyses."""
    rule = "{selector: all(), egress: [{action: Allow, protocol: TCP, destination: {ports: ['100:200', http], nets: [203.0.113.0/24]}}]}"
    networks = GLOBAL.format("GlobalNetworkSet", "s", "{nets: [198.51.100.7]}")
    made = world(thing(V3, "NetworkPolicy", "shop", "k", rule), networks, app("data", "named"))
    assert {100, 201} <= port_borders(made)
    assert {203 << 24 | 113 << 8, 203 << 24 | 114 << 8, 198 << 24 | 51 << 16 | 100 << 8 | 7} <= address_borders(made)


def test_callers_that_selectors_tell_apart() -> None:
    """Callers with the same answers to all selectors are asked about once; others are not."""
    made = world(thing(V3, "NetworkPolicy", "data", "k", ONLY_WEB), app("shop", "other"), app("shop", "more"))
    find = made.find_workload
    web, other, more, api = find("shop", "web"), find("shop", "other"), find("shop", "more"), find("data", "api")
    assert web is not None
    assert other is not None
    assert more is not None
    assert api is not None
    wires = Wires(made)
    assert wires.key(other, api) == wires.key(more, api) is not None
    assert wires.key(web, api) != wires.key(other, api)
