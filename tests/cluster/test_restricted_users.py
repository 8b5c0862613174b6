"""Users who may not list everything: what could not be read is named, and nothing is allowed on it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from meshcheck.cli.main import main
from meshcheck.model.cluster_kinds import CALL, kinds_for
from tests.cluster.contents import put_text
from tests.support.apiserver import ApiServer

WORLD = """
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Namespace
metadata: {name: istio-system}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data: {mesh: 'trustDomain: cluster.local'}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: a, image: b}]}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, namespace: shop}
spec:
  selector: {matchLabels: {app: cart}}
  template: {metadata: {labels: {app: cart}}, spec: {containers: [{name: a, image: b, ports: [{containerPort: 8080}]}]}}
---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec: {selector: {app: cart}, ports: [{name: http, port: 80, targetPort: 8080}]}
"""
DENY = """
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: no-delete, namespace: shop}
spec: {action: DENY, rules: [{to: [{operation: {methods: [DELETE]}}]}]}
"""
ISOLATED = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed, namespace: shop}
spec: {podSelector: {matchLabels: {app: cart}}, policyTypes: [Ingress]}
"""
RUNNING = """
apiVersion: v1
kind: Pod
metadata:
  name: {name}-1-x
  namespace: shop
  labels: {{app: {name}}}
  ownerReferences: [{{apiVersion: apps/v1, kind: ReplicaSet, name: {name}-1, controller: true, uid: u}}]
spec: {{containers: [{{name: a, image: b}}, {{name: istio-proxy, image: 'istio/proxyv2:1.31.0'}}]}}
status: {{phase: Running, podIP: 10.0.0.7}}
"""
CALL_WORDS = ("--from", "shop/web", "--to", "http://cart.shop/")


def role(user: str, kinds: list[tuple[str, str]], namespace: str | None = None) -> str:
    """A role that lets a user list kinds, everywhere or in a namespace."""
    kind = "Role" if namespace else "ClusterRole"
    where = f", namespace: {namespace}" if namespace else ""
    rules = "".join(f"- {{apiGroups: ['{group}'], resources: [{plural}], verbs: [list, get]}}\n" for group, plural in kinds)
    api = "rbac.authorization.k8s.io"
    return (
        f"apiVersion: {api}/v1\nkind: {kind}\nmetadata: {{name: reader{where}}}\nrules:\n{rules}---\n"
        f"apiVersion: {api}/v1\nkind: {kind}Binding\nmetadata: {{name: reader{where}}}\n"
        f"roleRef: {{apiGroup: {api}, kind: {kind}, name: reader}}\nsubjects: [{{kind: User, name: {user}, apiGroup: {api}}}]\n"
    )


EVERYTHING = [(k.group, k.plural) for k in kinds_for(CALL)]


def ask(server: ApiServer, user: str, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    main(["trace", "--kubeconfig", server.kubeconfig(user=user), *(words or CALL_WORDS), "-o", "json"])
    out, err = capsys.readouterr()
    assert out, err
    found: dict[str, Any] = json.loads(out)
    return found


def facts(trace: dict[str, Any]) -> list[str]:
    return [missing["fact"] for missing in trace["missing"]]


def test_who_may_list_all_has_an_answer(server: ApiServer, capsys: pytest.CaptureFixture[str]) -> None:
    put_text(server, WORLD + "---\n" + role("alice", EVERYTHING))
    assert ask(server, "alice", capsys)["verdict"] == "allowed"


@pytest.mark.parametrize(
    ("plural", "kind", "extra"),
    [
        ("authorizationpolicies", "AuthorizationPolicies", ""),
        ("peerauthentications", "PeerAuthentications", ""),
        ("requestauthentications", "RequestAuthentications", ""),
        ("networkpolicies", "NetworkPolicies", ""),
        ("envoyfilters", "EnvoyFilters", ""),
        ("virtualservices", "VirtualServices", ""),
        ("destinationrules", "DestinationRules", ""),
        ("sidecars", "Sidecars", ""),
        ("pods", "Pods", ""),
        ("services", "Services", ""),
        ("configmaps", "Istio's mesh config", ""),
        ("namespaces", "Namespace", ""),
    ],
)
def test_one_kind_that_may_not_be_listed(server: ApiServer, capsys: pytest.CaptureFixture[str], plural: str, kind: str, extra: str) -> None:
    put_text(server, WORLD + "---\n" + role("alice", [item for item in EVERYTHING if item[1] != plural]))
    found = ask(server, "alice", capsys)
    assert found["verdict"] == "unknown"
    assert any(fact.startswith(kind) and 'User "alice" cannot list resource' in fact for fact in facts(found)), facts(found)


def test_webhooks_that_may_not_be_listed(server: ApiServer, capsys: pytest.CaptureFixture[str]) -> None:
    """Most users may not list them: only an answer that hangs on who is injected is unknown, and only where no pod runs."""
    put_text(server, WORLD + "---\n" + role("alice", [item for item in EVERYTHING if item[1] != "mutatingwebhookconfigurations"]))
    assert ask(server, "alice", capsys)["verdict"] == "allowed"
    put_text(server, DENY)
    words = (*CALL_WORDS, "-X", "DELETE")
    found = ask(server, "alice", capsys, *words)
    assert found["verdict"] == "unknown"
    assert facts(found)[0].startswith("MutatingWebhookConfigurations could not be listed: forbidden"), facts(found)
    assert ask(server, "alice", capsys, *words, "--sidecars", "shop")["verdict"] == "denied"
    for name in ("web", "cart"):
        put_text(server, RUNNING.format(name=name))
    assert ask(server, "alice", capsys, *words)["verdict"] == "denied"


def test_a_known_refusal_stands(server: ApiServer, capsys: pytest.CaptureFixture[str]) -> None:
    """No list on AuthorizationPolicies, and a NetworkPolicy that refuses: more policies of Istio could only refuse it as well."""
    put_text(server, WORLD + "---\n" + ISOLATED + "---\n" + role("alice", [k for k in EVERYTHING if k[1] != "authorizationpolicies"]))
    found = ask(server, "alice", capsys)
    assert (found["verdict"], found["decided_by"]["object"]["name"]) == ("denied", "closed")


def test_a_refusal_that_others_might_undo_does_not_stand(server: ApiServer, capsys: pytest.CaptureFixture[str]) -> None:
    """Policies of namespace shop are known and refuse by isolation: those of other kinds of tiers are not."""
    put_text(server, WORLD + "---\n" + ISOLATED + "---\n" + role("alice", [k for k in EVERYTHING if k[1] != "clusternetworkpolicies"]))
    found = ask(server, "alice", capsys)
    assert found["verdict"] == "unknown"
    assert facts(found)[0].startswith("ClusterNetworkPolicies could not be listed: forbidden")


def test_one_namespace_only(server: ApiServer, capsys: pytest.CaptureFixture[str]) -> None:
    """What is in the namespace decides where it can: a DENY rule. Else the policies of Istio's root namespace are missing."""
    put_text(server, WORLD + "---\n" + DENY + "---\n" + role("bob", [*EVERYTHING, ("", "namespaces")], "shop"))
    found = ask(server, "bob", capsys)
    assert found["verdict"] == "unknown"
    assert not any("of namespace shop " in fact for fact in facts(found)), facts(found)
    wanted = "AuthorizationPolicies of namespace istio-system could not be listed"
    assert any(fact.startswith(wanted) for fact in facts(found)), facts(found)


def test_nothing_at_all(server: ApiServer, capsys: pytest.CaptureFixture[str]) -> None:
    put_text(server, WORLD)
    found = ask(server, "carol", capsys)
    assert found["verdict"] == "unknown"
    assert any(fact.startswith("Pods of namespace shop could not be listed: forbidden") for fact in facts(found)), facts(found)


def test_a_token_that_nobody_knows(server: ApiServer, capsys: pytest.CaptureFixture[str]) -> None:
    """No answer at all, and the next step; exit status 2."""
    status = main(["trace", "--kubeconfig", server.kubeconfig(token="nonsense"), *CALL_WORDS])
    out, err = capsys.readouterr()
    assert (status, out) == (2, "")
    assert "the API server does not accept the credentials (401 Unauthorized): log in again" in err


def test_impersonation(server: ApiServer, capsys: pytest.CaptureFixture[str]) -> None:
    """`--as` reads with the rights of another user."""
    put_text(server, WORLD)
    assert ask(server, "admin", capsys)["verdict"] == "allowed"
    assert ask(server, "admin", capsys, *CALL_WORDS, "--as", "carol")["verdict"] == "unknown"


def test_rbac_that_may_not_be_read_denies_nothing(server: ApiServer, capsys: pytest.CaptureFixture[str]) -> None:
    put_text(server, WORLD + "---\n" + role("bob", EVERYTHING, "shop"))
    words = ["can", "--kubeconfig", server.kubeconfig(user="alice"), "--as", "user/dave", "delete", "pods", "-n", "shop"]
    assert main(words) == 3
    words[2] = server.kubeconfig()
    assert main(words) == 1
    capsys.readouterr()
