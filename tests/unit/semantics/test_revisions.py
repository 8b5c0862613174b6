"""Several revisions of Istio: each workload by the mesh config of its own, and objects that are for one revision only."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.batch import ask
from tests.support.injectors import injector, text
from tests.support.manifests import app, space, thing

SECURITY = "security.istio.io/v1"


def mesh(config: str, revision: str = "default") -> str:
    name = "istio" if revision == "default" else f"istio-{revision}"
    lines = "".join(f"    {line}\n" for line in config.splitlines())
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: istio-system}}\ndata:\n  mesh: |\n{lines}"


def policy(namespace: str, name: str, spec: str, revision: str = "") -> str:
    labels = f", labels: {{istio.io/rev: {revision}}}" if revision else ""
    kind = f"apiVersion: {SECURITY}\nkind: AuthorizationPolicy\n"
    return f"{kind}metadata: {{name: {name}, namespace: {namespace}{labels}}}\nspec: {spec}\n"


def pod(namespace: str, name: str, revision: str) -> str:
    status = f'{{"revision":"{revision}","containers":["istio-proxy"]}}'
    return (
        f"apiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}-1-x\n  namespace: {namespace}\n  uid: u\n"
        f"  labels: {{app: {name}}}\n  annotations: {{sidecar.istio.io/status: '{status}'}}\n"
        f"  ownerReferences: [{{apiVersion: apps/v1, kind: ReplicaSet, name: {name}-1, controller: true, uid: v}}]\n"
        f"spec: {{containers: [{{name: a, image: b}}, {{name: istio-proxy, image: 'docker.io/istio/proxyv2:1.24.1'}}]}}\n"
        f"status: {{phase: Running, podIP: 10.0.0.{len(name)}}}\n"
    )


def verdict(documents: list[str], path: str = "/", **question: Any) -> tuple[str, str]:
    """The verdict, and all that is said."""
    asked = {"id": "q", "from": {"namespace": "web", "workload": "spa"}, "to": {"url": f"http://cart.shop{path}"}, **question}
    base = [app("web", "spa"), app("shop", "cart")]
    world = {"id": "w", "closed_world": True, "manifests": "---\n".join([*documents, *base]), "questions": [asked]}
    found = ask([world], brief=False)["w", "q"]
    said = [s["summary"] for hop in found["hops"] for s in hop["stations"]] + [m["fact"] for m in found["missing"]]
    return found["verdict"], " | ".join(said)


OLD = "trustDomain: old.example"
NEW = "trustDomain: new.example\ntrustDomainAliases: [old.example]"
OWN = '{rules: [{from: [{source: {principals: ["new.example/ns/web/sa/spa"]}}]}]}'
BOTH = [space("web", "istio-injection: enabled"), space("shop", "istio.io/rev: new"), mesh(OLD), mesh(NEW, "new")]


def test_each_proxy_has_the_mesh_config_of_its_revision() -> None:
    """The caller's identity is of its own trust domain; the called proxy of another revision takes it as an alias, or does not."""
    webhooks = text(injector(), injector("new"))
    assert verdict([*BOTH, webhooks])[0] == "allowed"
    assert verdict([*BOTH, webhooks, policy("shop", "own", OWN)])[0] == "allowed", "an alias is as good"
    swapped = [space("web", "istio.io/rev: new"), space("shop", "istio-injection: enabled"), *BOTH[2:], webhooks]
    found, said = verdict(swapped)
    assert (found, "`new.example` is not this mesh's" in said) == ("denied", True)


def test_providers_are_those_of_the_called_proxy() -> None:
    custom = policy("shop", "ask", "{action: CUSTOM, provider: {name: opa}, rules: [{}]}")
    provider = "extensionProviders:\n- name: opa\n  envoyExtAuthzHttp: {service: opa.shop.svc.cluster.local, port: 80}"
    spaces = [space("web", "istio-injection: enabled"), space("shop", "istio.io/rev: new"), text(injector(), injector("new"))]
    service = "apiVersion: v1\nkind: Service\nmetadata: {name: opa, namespace: shop}\nspec: {selector: {app: opa}, ports: [{port: 80}]}\n"
    opa = [service, app("shop", "opa")]
    assert verdict([*spaces, custom, *opa, mesh(provider), mesh("rootNamespace: istio-system", "new")])[0] == "denied"
    assert verdict([*spaces, custom, *opa, mesh("rootNamespace: istio-system"), mesh(provider, "new")])[0] == "unknown"


def test_paths_are_normalised_by_the_called_proxys_revision() -> None:
    deny = policy("shop", "admin", '{action: DENY, rules: [{to: [{operation: {paths: ["/admin"]}}]}]}')
    spaces = [space("web", "istio-injection: enabled"), space("shop", "istio.io/rev: new"), text(injector(), injector("new"))]
    merges, base = "pathNormalization: {normalization: MERGE_SLASHES}", "pathNormalization: {normalization: BASE}"
    assert verdict([*spaces, deny, mesh(base), mesh(merges, "new")], "//admin")[0] == "denied"
    assert verdict([*spaces, deny, mesh(merges), mesh(base, "new")], "//admin")[0] == "allowed"


def test_pods_that_run_say_whose_they_are() -> None:
    """Whatever the labels ask for now."""
    said = [*BOTH[2:], space("web", "istio-injection: enabled"), space("shop", "istio-injection: enabled")]
    assert verdict([*said, pod("web", "spa", "new"), pod("shop", "cart", "default")])[0] == "denied"
    assert verdict([*said, pod("web", "spa", "default"), pod("shop", "cart", "new")])[0] == "allowed"


def test_where_nothing_says_whose_a_workload_is() -> None:
    """A tag is not known without its webhook: an answer only where all revisions give the same."""
    tagged = [space("web", "istio.io/rev: prod"), space("shop", "istio.io/rev: stable"), *BOTH[2:]]
    found, said = verdict(tagged)
    assert found == "unknown"
    assert "which revision of Istio (default, new) manages pods that ask for istio.io/rev=" in said
    same = [*tagged[:2], mesh(OLD), mesh(OLD + "\naccessLogFile: /dev/stdout", "new")]
    assert verdict(same)[0] == "allowed"
    tags = text(injector("new", tag="prod"), injector("new", tag="stable"))
    assert verdict([*tagged, tags])[0] == "allowed"


LABELLED = [
    # webhooks, labels of shop, label of the policy, verdict
    (text(injector(), injector("new")), "istio-injection: enabled", "new", "allowed"),
    (text(injector(), injector("new")), "istio.io/rev: new", "new", "denied"),
    (text(injector(), injector("new")), "istio.io/rev: new", "default", "allowed"),
    (text(injector(), injector("new", tag="prod")), "istio.io/rev: prod", "prod", "allowed"),  # a label names revisions, not tags
    (text(injector(), injector("new", tag="prod")), "istio.io/rev: prod", "new", "denied"),
    ("", "istio.io/rev: new", "new", "denied"),
    ("", "istio-injection: enabled", "new", "unknown"),
]


@pytest.mark.parametrize(("webhooks", "labels", "revision", "wanted"), LABELLED)
def test_objects_for_one_revision(webhooks: str, labels: str, revision: str, wanted: str) -> None:
    """istiod passes over objects whose label names another revision."""
    deny = policy("shop", "closed", "{action: DENY, rules: [{}]}", revision)
    documents = [space("web", "istio-injection: enabled"), space("shop", labels), deny, *([webhooks] if webhooks else [])]
    assert verdict(documents)[0] == wanted


def test_what_is_passed_over_is_said() -> None:
    deny = policy("shop", "closed", "{action: DENY, rules: [{}]}", "new")
    _, said = verdict([space("web", "istio-injection: enabled"), space("shop", "istio-injection: enabled"), deny, text(injector())])
    assert "revision default passes over AuthorizationPolicy shop/closed, which is for revision new" in said


def test_a_route_for_another_revision_routes_nobody() -> None:
    routes = thing("networking.istio.io/v1", "VirtualService", "shop", "away", "{hosts: [cart], http: [{directResponse: {status: 503}}]}")
    routes = routes.replace("name: away", "name: away, labels: {istio.io/rev: new}")
    spaces = [space("web", "istio-injection: enabled"), space("shop", "istio.io/rev: new"), text(injector(), injector("new"))]
    assert verdict([*spaces, routes])[0] == "allowed"
    assert verdict([space("web", "istio.io/rev: new"), *spaces[1:], routes])[0] == "denied"


def test_mesh_config_that_revisions_share() -> None:
    """istiod's own ConfigMap goes before the one that it shares; aliases are taken from both."""
    istiod = (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: istiod, namespace: istio-system}\nspec:\n"
        "  selector: {matchLabels: {app: istiod}}\n  template:\n    metadata: {labels: {app: istiod, istio.io/rev: default}}\n"
        "    spec: {containers: [{name: discovery, image: 'istio/pilot:1.24.1', env: [{name: SHARED_MESH_CONFIG, value: ours}]}]}\n"
    )
    shared = mesh("trustDomain: shared.example\ntrustDomainAliases: [b.example]").replace("name: istio,", "name: ours,")
    spaces = [space("web", "istio-injection: enabled"), space("shop", "istio-injection: enabled")]
    caller = {"from": {"namespace": "web", "service_account": "spa", "mtls": True, "trust_domain": "b.example"}}
    both = [*spaces, istiod, shared, mesh("trustDomain: own.example\ntrustDomainAliases: [a.example]")]
    assert verdict(both, **caller)[0] == "allowed"
    assert verdict([*spaces, shared, mesh("trustDomain: own.example")], **caller)[0] == "denied"
    caller["from"]["trust_domain"] = "shared.example"
    assert verdict(both, **caller)[0] == "denied"
