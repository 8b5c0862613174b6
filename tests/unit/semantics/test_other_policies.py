"""Policies of network plugins and other meshes that nobody evaluates: where they have a say nothing is allowed, and nothing refused that
they might open.
"""

from __future__ import annotations

from typing import Any

import pytest

from meshcheck.cli.questions import question_of
from meshcheck.cli.world import build_world
from meshcheck.load.read import Reading
from meshcheck.model.foreign_policies import foreign_kinds
from meshcheck.model.trace import ALLOWED, DENIED, UNKNOWN, Trace
from meshcheck.semantics.tracing.trace import trace
from tests.support.manifests import app, space, thing

WEB, API = {"namespace": "shop", "workload": "web"}, {"url": "http://api.data/"}
BASE = (space("shop", "a: b"), space("data", "a: b"), space("dev", "a: b"), app("shop", "web"), app("data", "api"), app("dev", "tool"))
ISOLATED = thing("networking.k8s.io/v1", "NetworkPolicy", "data", "shut", "{podSelector: {}}")
VERSIONS = {"cilium.io": "v2", "projectcalico.org": "v3", "crd.antrea.io": "v1beta1", "k8s.ovn.org": "v1", "network.openshift.io": "v1"}
CLUSTER = "apiVersion: {}\nkind: {}\nmetadata: {{name: lock}}\nspec: {}\n"


def ask(*documents: str, source: dict[str, Any] = WEB, target: dict[str, Any] = API, **more: Any) -> Trace:
    """The answer in a small world of two namespaces."""
    reading = Reading()
    reading.add_text("world.yaml", "---\n".join((*BASE, *documents)))
    question = question_of({"id": "q", "from": source, "to": target, **more})
    return trace(build_world(reading, closed=True), question)


def with_proxy(container: str) -> str:
    """The called workload, with the proxy of another mesh beside it."""
    return app("data", "api").replace("[{name: a,", f"[{{name: {container}, image: p}}, {{name: a,")


KINDS = [kind for kind in foreign_kinds() if not kind.is_evaluated]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.group}/{kind.kind}")
def test_each_kind_is_heard_where_it_has_a_say(kind: Any) -> None:
    """One object in scope makes the answer unknown; elsewhere it changes nothing; a refusal stays where it can only refuse as well."""
    api = f"{kind.group}/{VERSIONS.get(kind.group, 'v1alpha1')}"
    namespace = "shop" if kind.ends in ("caller", "outside") else "data"
    document = thing(api, kind.kind, namespace, "lock", "{}") if kind.namespaced else CLUSTER.format(api, kind.kind, "{}")
    beside = [with_proxy(kind.enforcer)] if kind.enforcer != "plugin" else []
    target = {"ip": "192.0.2.7", "port": 443} if kind.ends == "outside" else API
    if kind.enforcer != "plugin" and kind.ends == "outside":
        beside = [app("shop", "web").replace("[{name: a,", f"[{{name: {kind.enforcer}, image: p}}, {{name: a,")]
    without = ask(*beside, target=target)
    found = ask(*beside, document, target=target)
    facts = " ".join(m.fact for m in found.missing)
    assert found.verdict == UNKNOWN, found
    assert f"{kind.kind} {namespace + '/' if kind.namespaced else ''}lock" in facts
    if kind.namespaced and not kind.everywhere:
        elsewhere = ask(*beside, document.replace(f"namespace: {namespace}", "namespace: dev"), target=target)
        assert elsewhere.verdict == without.verdict
        assert [m.fact for m in elsewhere.missing] == [m.fact for m in without.missing]
    if kind.ends != "outside":
        refused = ask(*beside, ISOLATED, document)
        expected = UNKNOWN if kind.opens and kind.ends != "caller" else DENIED
        assert refused.verdict == expected


def test_places_are_named() -> None:
    """The station mentions the object, so that its file and line are shown."""
    found = ask(thing("crd.antrea.io/v1beta1", "NetworkPolicy", "data", "lock", "{}"))
    station = next(s for s in found.hops[-1].stations if s.name == "network-policy" and s.verdict != ALLOWED)
    assert station.policies[0].meta.origin is not None
    assert station.policies[0].meta.name == "lock"


def test_kinds_of_one_name_do_not_meet() -> None:
    """Calico's NetworkPolicy and Linkerd's AuthorizationPolicy are neither Kubernetes' nor Istio's, in either order."""
    calico = thing("projectcalico.org/v3", "NetworkPolicy", "data", "shut", "{selector: all(), order: 1, ingress: [{action: Allow}]}")
    for documents in ((ISOLATED, calico), (calico, ISOLATED)):
        assert ask(*documents).verdict == ALLOWED  # Calico's goes first
    linkerd = thing("policy.linkerd.io/v1alpha1", "AuthorizationPolicy", "data", "x", "{targetRef: {kind: Namespace, name: data}}")
    assert ask(linkerd).verdict == ALLOWED  # no pod of it has Linkerd's proxy
    assert ask(with_proxy("linkerd-proxy"), linkerd).verdict == UNKNOWN


@pytest.mark.parametrize("where", ["pod", "namespace"])
def test_proxies_that_are_asked_for_count(where: str) -> None:
    """A proxy may be there because an annotation of the pod or the namespace asks for it."""
    server = thing("policy.linkerd.io/v1beta3", "Server", "data", "api", "{podSelector: {matchLabels: {app: api}}, port: 8080}")
    if where == "pod":
        asking = app("data", "api", annotations={"linkerd.io/inject": "enabled"})
    else:
        asking = "apiVersion: v1\nkind: Namespace\nmetadata: {name: data, annotations: {linkerd.io/inject: enabled}}\n"
    assert ask(asking, server).verdict == UNKNOWN
    assert ask(asking, server.replace("app: api", "app: other")).verdict == ALLOWED
    assert ask(asking.replace("enabled", "disabled"), server).verdict == ALLOWED


def test_the_way_to_dns_counts_as_well() -> None:
    """A policy of the plugin for the caller may keep it from the cluster's DNS."""
    found = ask(thing("networking.gke.io/v1alpha1", "FQDNNetworkPolicy", "shop", "out", "{podSelector: {matchLabels: {app: web}}}"))
    assert {s.name for s in found.hops[-1].stations if s.verdict == UNKNOWN} == {"dns", "network-policy"}
    other = ask(thing("networking.gke.io/v1alpha1", "FQDNNetworkPolicy", "shop", "out", "{podSelector: {matchLabels: {app: x}}}"))
    assert other.verdict == ALLOWED


def test_questions_about_network_policies_alone_hear_of_plugins_only() -> None:
    """A proxy of a mesh is no network policy; Antrea's are."""
    target = {"namespace": "data", "workload": "api", "port": 8080}
    antrea = thing("crd.antrea.io/v1beta1", "NetworkPolicy", "data", "x", "{priority: 5}")
    server = thing("policy.linkerd.io/v1beta3", "Server", "data", "api", "{podSelector: {}, port: 8080}")
    for document, verdict in ((antrea, UNKNOWN), (server, ALLOWED)):
        assert ask(with_proxy("linkerd-proxy"), document, target=target, layer="network-policy").verdict == verdict
