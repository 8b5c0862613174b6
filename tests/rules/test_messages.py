"""What findings say where the words depend on other objects."""

from __future__ import annotations

from tests.rules.test_rules import HERE, findings

_KEPT_AWAY = 'metadata: {labels: {app: cart}, annotations: {traffic.sidecar.istio.io/excludeInboundPorts: "8080"}}'
_SHOP = (HERE / "MC110" / "bad-closed.yaml").read_text(encoding="utf-8")


def _messages(text: str, code: str) -> list[str]:
    return [finding.message for finding in findings(text, code)[0]]


def test_a_policy_closes_workloads_of_the_mesh() -> None:
    """`nobody may call` is said of a workload with a sidecar, whose ports it sees."""
    assert _messages(_SHOP, "MC110") == ["nobody may call shop/cart: this policy has no rules, and no other ALLOW policy applies there"]


def test_a_policy_closes_nothing_outside_the_mesh() -> None:
    """Where no proxy stands before the workload, callers get through; the policy is still one without rules."""
    plain = _SHOP.replace("istio-injection: enabled", "team: shop")
    kept_away = _SHOP.replace("metadata: {labels: {app: cart}}", _KEPT_AWAY)
    for text in (plain, kept_away):
        assert text != _SHOP
        assert _messages(text, "MC110") == ["an ALLOW policy without rules: what no other ALLOW policy admits is denied"]


def test_a_gateway_that_is_refused_is_no_gateway_that_is_missing() -> None:
    """A Gateway that was read and that Istio does not take is named with the reason, and no other name is suggested."""
    text = (HERE / "MC801" / "bad.yaml").read_text(encoding="utf-8")
    why = "two servers have a port of the name `http`"
    assert f"Gateway `shop/twice` is refused ({why}), so these routes are on no gateway" in _messages(text, "MC801")


def test_mtls_is_off_save_where_a_policy_turns_it_on() -> None:
    """A mode for a namespace is not said to hold for workloads that have a mode of their own."""
    text = (HERE / "MC407" / "bad.yaml").read_text(encoding="utf-8")
    first = _messages(text, "MC407")[0]
    assert first.startswith("mTLS is off for namespace shop (save what PeerAuthentication shop/cart says): ")
    assert " (save " not in _messages(text.partition("---")[0], "MC407")[0]


def test_gateways_without_pods_are_named_by_their_labels() -> None:
    """Pods that are in the input are named; those that are not have no name, and none is made up."""
    text = (HERE / "MC809" / "bad.yaml").read_text(encoding="utf-8")
    without = text[text.index("apiVersion: networking.istio.io/v1") :]
    assert " on port 443 of istio-ingress/public: " in _messages(text, "MC809")[0]
    assert " on port 443 of the pods with `istio: public`: " in _messages(without, "MC809")[0]


def test_namespaces_that_every_cluster_has_are_there() -> None:
    """An account of `default` may be missing; the namespace is not."""
    policy = _SHOP.replace("spec: {}", 'spec: {rules: [{from: [{source: {principals: ["cluster.local/ns/default/sa/curl"]}}]}]}')
    assert policy != _SHOP
    why = "there is no service account `curl` in namespace `default`"
    assert _messages(policy, "MC201") == [f"`cluster.local/ns/default/sa/curl` names nobody: {why}"]


def _two_routes(*days: str) -> str:
    """VirtualServices `a`, `b` … for one host, made on these days (empty: not said)."""
    one = """apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: NAME, namespace: shopDAY}
spec: {hosts: [web], http: [{route: [{destination: {host: web}}]}]}
"""
    made = [f', creationTimestamp: "{day}"' if day else "" for day in days]
    return "---\n".join(one.replace("NAME", name).replace("DAY", day) for name, day in zip("ab", made, strict=True))


def test_who_is_older_is_said_only_where_it_was_read() -> None:
    """Manifests have no creationTimestamp: which of two VirtualServices is used depends on which is applied first."""
    words = "sidecars use only one VirtualService for `web.shop.svc.cluster.local`, and VirtualService"
    read = _two_routes("2026-02-01T00:00:00Z", "2026-01-01T00:00:00Z")
    assert _messages(read, "MC806") == [f"{words} shop/b is the one that is used"]
    assert _messages(_two_routes("", ""), "MC806") == [f"{words} shop/a is the other: the one that was made first is used"]
