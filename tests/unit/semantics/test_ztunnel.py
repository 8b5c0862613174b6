"""ztunnel's own reading of AuthorizationPolicies: rows of the upstream translation, and of the evaluation of what is left."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from meshcheck.decode.istio_security import decode_authorization_policy
from meshcheck.model.objects import Meta, ObjectRef
from meshcheck.semantics.ambient.ztunnel import Peer, is_sent, translate

META = Meta(ObjectRef("security.istio.io/v1", "AuthorizationPolicy", "shop", "p"), {}, {}, "", None)
WEB = Peer("cluster.local", "shop", "web")

CASES: list[tuple[str, str, str, bool | None]] = [
    # id, action, rule, whether it holds for web on port 8080
    ("a principal", "ALLOW", '{from: [{source: {principals: ["cluster.local/ns/shop/sa/web"]}}]}', True),
    ("a principal with its scheme", "ALLOW", '{from: [{source: {principals: ["spiffe://cluster.local/ns/shop/sa/web"]}}]}', False),
    ("the domain is literal", "ALLOW", '{from: [{source: {principals: ["corp/ns/shop/sa/web"]}}]}', False),
    ("the end of a principal", "ALLOW", '{from: [{source: {principals: ["*/sa/web"]}}]}', True),
    ("an account of the policy's namespace", "ALLOW", "{from: [{source: {serviceAccounts: [web]}}]}", True),
    ("an account of another namespace", "ALLOW", "{from: [{source: {serviceAccounts: [pay/web]}}]}", False),
    ("another port", "ALLOW", '{to: [{operation: {ports: ["80"]}}]}', False),
    ("a method takes the rule away", "ALLOW", '{to: [{operation: {methods: [GET], ports: ["8080"]}}]}', False),
    ("a method vanishes from a DENY", "DENY", '{to: [{operation: {methods: [GET], ports: ["8080"]}}]}', True),
    ("nothing is left of a DENY", "DENY", "{from: [{source: {namespaces: [shop]}}], to: [{operation: {methods: [GET]}}]}", False),
    ("one of two entries is left", "DENY", '{to: [{operation: {methods: [GET]}}, {operation: {ports: ["8080"]}}]}', True),
    ("a header as a condition", "DENY", "{when: [{key: 'request.headers[x]', values: [y]}]}", False),
    ("trust domains are forgotten", "DENY", "{from: [{source: {trustDomains: [cluster.local]}}]}", False),
    ("all clauses must hold", "DENY", "{from: [{source: {namespaces: [shop]}}], when: [{key: source.namespace, values: [pay]}]}", False),
    ("an empty rule", "ALLOW", "{}", True),
    ("an address decides", "ALLOW", "{from: [{source: {ipBlocks: [10.0.0.0/8]}}]}", None),
]


def _policy(action: str, rule: str, more: str = "") -> Any:
    return decode_authorization_policy({"spec": yaml.safe_load(f"{{action: {action}, rules: [{rule}]{more}}}")}, META)


@pytest.mark.parametrize(("action", "rule", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_what_is_left_of_a_rule(action: str, rule: str, expected: bool | None) -> None:
    """As istiod translates it and ztunnel evaluates it."""
    (one,) = translate(_policy(action, rule))
    assert one.holds(WEB, 8080) is expected


def test_an_account_without_a_namespace_is_one_of_the_policys_own() -> None:
    """`web` in a policy of `shop` is not the `web` of another namespace."""
    (one,) = translate(_policy("ALLOW", "{from: [{source: {serviceAccounts: [web]}}]}"))
    assert one.holds(Peer("cluster.local", "pay", "web"), 8080) is False


def test_a_domain_that_is_not_known_is_the_one_that_is_named() -> None:
    """Without mesh config nobody can say that `corp` is not the trust domain."""
    (one,) = translate(_policy("ALLOW", '{from: [{source: {principals: ["corp/ns/shop/sa/web"]}}]}'))
    assert one.holds(WEB._replace(trust_domain=None), 8080) is True


@pytest.mark.parametrize("action", ["CUSTOM", "AUDIT"])
def test_what_is_not_sent(action: str) -> None:
    """ztunnel has no such actions, no targets, and an empty selector is attached to nothing."""
    assert not is_sent(_policy(action, "{}"))
    assert not is_sent(_policy("DENY", "{}", ", targetRefs: [{group: '', kind: Service, name: cart}]"))
    assert not is_sent(_policy("DENY", "{}", ", selector: {}"))
    assert is_sent(_policy("DENY", "{}"))
