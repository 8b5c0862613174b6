"""What lint says about two rules holds for every request: a rule that is covered matches nothing that the others do not match."""

from __future__ import annotations

import random
from itertools import product
from typing import Any

from meshcheck.decode.istio_security import decode_authorization_policy
from meshcheck.lint.covering import covered_by, covered_values
from meshcheck.model.mesh_config import MeshConfig
from meshcheck.model.objects import Meta, ObjectRef
from meshcheck.semantics.authorization.attributes import Attributes
from meshcheck.semantics.authorization.policies import CompiledRule, compile_policies

MESH = MeshConfig(trust_domain="example.org", trust_domain_aliases=("old.org",))
DOMAINS = MESH.trust_domains
SOURCES = {
    "principals": ["*", "cluster.local/ns/a/sa/x", "old.org/ns/a/sa/y", "foreign/ns/a/sa/x", "*/sa/x", "cluster.local/*", "example.org/*"],
    "namespaces": ["a", "b", "*"],
    "serviceAccounts": ["a/x", "x"],
    "requestPrincipals": ["*", "https://i/u", "https://i/*", "*/u", "https://i"],
    "ipBlocks": ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.3"],
}
OPERATIONS = {
    "methods": ["GET", "POST", "*", "P*"],
    "paths": ["/", "/a", "/a/*", "/a*", "*/b", "*", "/a/{*}", "/a/{**}"],
    "hosts": ["shop", "SHOP", "*.org", "*"],
    "ports": ["80", "81"],
}
CONDITIONS = {
    "request.headers[x-t]": ["a", "a*", "*"],
    "request.auth.claims[g]": ["a", "a*", "*b", "*"],
    "source.namespace": ["a", "b"],
    "connection.sni": ["s", "s*"],
}
PRINCIPALS = [None, *(f"spiffe://{d}/ns/{n}/sa/{s}" for d in (*DOMAINS, "cluster.local", "foreign") for n in "ab" for s in "xy")]
PAYLOADS: list[Any] = [
    None,
    {"iss": "https://i", "sub": "u"},
    {"iss": "https:/", "sub": "i", "g": "ab"},
    {"iss": "j", "sub": "u", "g": ["a", "b"]},
    {"g": ["b"]},
]
PATHS = ["/", "/a", "/a/b", "/a/b/c", "/ab", "/c/b", "/a/"]


def _fields(rng: random.Random, table: dict[str, list[str]]) -> dict[str, list[str]]:
    out = {}
    for name in rng.sample(sorted(table), rng.choice([1, 1, 2])):
        key = name if rng.random() < 0.75 else f"not{name[0].upper()}{name[1:]}"
        out[key] = rng.sample(table[name], rng.choice([1, 1, 2]))
    return out


def _rule(rng: random.Random) -> dict[str, Any]:
    rule: dict[str, Any] = {}
    if rng.random() < 0.6:
        rule["from"] = [{"source": _fields(rng, SOURCES)} for _ in range(rng.choice([1, 1, 2]))]
    if rng.random() < 0.6:
        rule["to"] = [{"operation": _fields(rng, OPERATIONS)} for _ in range(rng.choice([1, 1, 2]))]
    if rng.random() < 0.3:
        key = rng.choice(sorted(CONDITIONS))
        rule["when"] = [{"key": key, rng.choice(["values", "values", "notValues"]): rng.sample(CONDITIONS[key], 1)}]
    return rule


def _compiled(rules: list[dict[str, Any]], name: str) -> tuple[CompiledRule, ...]:
    meta = Meta(ObjectRef("security.istio.io/v1", "AuthorizationPolicy", "a", name), {}, {}, "", None)
    return compile_policies([decode_authorization_policy({"spec": {"action": "DENY", "rules": rules}}, meta)], MESH, True).deny


def _requests(rng: random.Random, number: int) -> list[Attributes]:
    out = []
    for _ in range(number):
        a = Attributes()
        a.principal, a.payload = rng.choice(PRINCIPALS), rng.choice(PAYLOADS)
        a.method, a.path = rng.choice(["GET", "POST", "PUT"]), rng.choice(PATHS)
        a.authority, a.destination_port = rng.choice(["shop", "Shop", "x.org"]), rng.choice([80, 81])
        a.source_ip, a.sni = rng.choice(["10.1.2.3", "10.1.9.9", "10.200.0.1", "192.0.2.1"]), rng.choice(["", "s", "sx"])
        a.headers = rng.choice([{}, {"x-t": ("a",)}, {"x-t": ("b",)}, {"x-t": ("b", "ax")}])
        out.append(a)
    return out


def test_a_rule_that_is_covered_matches_nothing_else() -> None:
    """For each proved covering no request is matched by the rule and by none of those that are said to cover it."""
    rng = random.Random(301)
    requests = _requests(rng, 400)
    proved = matched = 0
    for _ in range(4000):
        one = _compiled([_rule(rng)], "one")[0]
        others = _compiled([_rule(rng) for _ in range(3)], "others")
        by = covered_by(one, others, DOMAINS)
        if by is None:
            continue
        proved += 1
        for a in requests:
            if one.holds(a):
                matched += 1
                assert any(other.holds(a) for other in by), (one.rule, [other.rule for other in by])
    assert min(proved, matched // 3) > 300, "hardly anything was proved: the test says nothing"


def test_a_value_that_is_covered_adds_nothing() -> None:
    """A rule narrowed to a value that is said to be covered matches nothing that the others do not match."""
    rng = random.Random(302)
    requests = _requests(rng, 300)
    found = 0
    for _ in range(3000):
        written = _rule(rng)
        one = _compiled([written], "one")[0]
        others = _compiled([_rule(rng) for _ in range(3)], "others")
        for path in covered_values(one, others, DOMAINS):
            found += 1
            narrowed = _compiled([_narrowed(written, path[3:])], "narrowed")[0]
            assert not any(narrowed.holds(a) and not any(other.holds(a) for other in others) for a in requests), (written, path)
    assert found > 100, "hardly anything was proved: the test says nothing"


def _narrowed(rule: Any, path: tuple[str | int, ...]) -> Any:
    """A rule with only the value at a path in its field, and only the alternative that holds it."""
    if len(path) == 1:
        return [rule[path[0]]]  # type: ignore[index]
    step = path[0]
    if isinstance(step, int):
        inside = _narrowed(rule[step], path[1:])
        return [*rule[:step], inside, *rule[step + 1 :]] if "key" in rule[step] else [inside]
    return {**rule, step: _narrowed(rule[step], path[1:])}


def test_simple_coverings_are_proved() -> None:
    """Wider values, exchanged fields and fewer conditions are recognised."""
    for narrow, wide in (
        ({"to": [{"operation": {"paths": ["/a/b"]}}]}, {"to": [{"operation": {"paths": ["/a/*"]}}]}),
        ({"to": [{"operation": {"paths": ["/a/b*"]}}]}, {"to": [{"operation": {"paths": ["/a*"]}}]}),
        ({"from": [{"source": {"principals": ["cluster.local/ns/a/sa/x"]}}]}, {"from": [{"source": {"namespaces": ["a"]}}]}),
        ({"to": [{"operation": {"methods": ["POST"]}}]}, {"to": [{"operation": {"notMethods": ["GET"]}}]}),
        ({"when": [{"key": "source.namespace", "values": ["a"]}]}, {"from": [{"source": {"namespaces": ["a", "b"]}}]}),
        ({"from": [{"source": {"ipBlocks": ["10.1.0.0/16"]}}]}, {"from": [{"source": {"ipBlocks": ["10.0.0.0/8"]}}]}),
        ({"from": [{"source": {"namespaces": ["a"]}}]}, {}),
    ):
        assert covered_by(_compiled([narrow], "one")[0], _compiled([wide], "others"), DOMAINS) is not None, (narrow, wide)
        assert covered_by(_compiled([wide], "one")[0], _compiled([narrow], "others"), DOMAINS) is None, (narrow, wide)


def test_combinations_may_be_covered_by_several_rules() -> None:
    """Each combination of values may have its own covering rule."""
    one = _compiled([{"to": [{"operation": {"methods": ["GET", "POST"], "paths": ["/a", "/b"]}}]}], "one")[0]
    parts = [{"to": [{"operation": {"methods": [m], "paths": [p]}}]} for m, p in product(["GET", "POST"], ["/a", "/b"])]
    assert covered_by(one, _compiled(parts, "others"), DOMAINS) is not None
    assert covered_by(one, _compiled(parts[1:], "others"), DOMAINS) is None
