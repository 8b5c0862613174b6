"""The conditions that Istio makes of an AuthorizationPolicy, in the form in which a dump is read.

Sources: istio/istio:pilot/pkg/security/authz/model/{model,generator,util}.go, matcher/{string,header,metadata,template}.go,
builder/builder.go:build; pilot/pkg/security/trustdomain/bundle.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from meshcheck.model.istio_security import AuthorizationPolicy, Field
from meshcheck.model.mesh_config import MeshConfig
from meshcheck.model.pattern import pattern
from meshcheck.model.proxy_config import CUSTOM, DRY_RUN, ENFORCED, NEVER, Condition, Leaf, all_of, any_of, negation
from meshcheck.semantics.authorization.claims import claim_keys
from meshcheck.semantics.authorization.peers import in_all_domains
from meshcheck.semantics.authorization.policies import CompiledPolicies, CompiledRule, rule_name
from meshcheck.semantics.authorization.tests import WHEN, Test

Expected = Mapping[tuple[str, str], Mapping[str, tuple[AuthorizationPolicy, CompiledRule | None, Condition]]]
"""By mode and Envoy's action: Envoy's names, and what each stands for. A policy without rules has one that never matches."""

_ACTIONS = {"ALLOW": "ALLOW", "DENY": "DENY", "AUDIT": "LOG", "CUSTOM": "DENY"}
_OF_PERMISSION = frozenset(["hosts", "methods", "paths", "ports", "destination.ip", "connection.sni"])
_SPECIAL = pattern(r"([\\.+*?()|\[\]{}^$])")
_BLOCKS = {"ipBlocks": "source address", "remoteIpBlocks": "client address", "destination.ip": "destination address"}


def expected_of(policies: CompiledPolicies, mesh: MeshConfig) -> Expected:
    """What the RBAC filters of a chain should hold."""
    found: dict[tuple[str, str], dict[str, tuple[AuthorizationPolicy, CompiledRule | None, Condition]]] = {}
    for policy in policies.attached:
        mode = CUSTOM if policy.action == "CUSTOM" else DRY_RUN if policy.dry_run else ENFORCED
        named = found.setdefault((mode, _ACTIONS[policy.action]), {})
        if not policy.rules:
            named[rule_name(policy, 0)] = policy, None, NEVER
    for rule in (*policies.custom, *policies.audit, *policies.deny, *policies.allow, *policies.dry_run):
        policy = rule.policy
        if not rule.impossible:
            mode = CUSTOM if policy.action == "CUSTOM" else DRY_RUN if policy.dry_run else ENFORCED
            found[mode, _ACTIONS[policy.action]][rule.name] = policy, rule, condition_of(rule, mesh)
    return found


def condition_of(rule: CompiledRule, mesh: MeshConfig) -> Condition:
    """When a rule matches: what is asked for (with the conditions that Envoy counts to that), and who asks."""
    namespace = rule.policy.meta.namespace or ""
    asked = [test for test in rule.conditions if _is_permission(test.field.name)]
    asking = [test for test in rule.conditions if not _is_permission(test.field.name)]

    def every(tests: Iterable[Test]) -> Condition:
        return all_of(field_condition(test.field, mesh, namespace) for test in tests)

    permissions = any_of(every([*operation, *asked]) for operation in rule.operations or ((),))
    return all_of([permissions, any_of(every([*source, *asking]) for source in rule.sources or ((),))])


def _is_permission(key: str) -> bool:
    return WHEN.get(key, key) in _OF_PERMISSION or key.startswith("experimental.")


def field_condition(field: Field, mesh: MeshConfig, namespace: str) -> Condition:
    """One list of values; `namespace` is the policy's."""
    values = any_of(value for text in field.values for value in _value(WHEN.get(field.name, field.name), text, mesh, namespace))
    return negation(values) if field.negated else values


def _value(name: str, text: str, mesh: MeshConfig, namespace: str) -> Iterable[Condition]:
    if name == "principals":
        return [_text("peer", each, "spiffe://") for each in in_all_domains(text, mesh.trust_domains)]
    if name == "namespaces":
        return [Leaf("peer", "regex", f".*/ns/{'.*'.join(_quoted(part) for part in text.split('*'))}/.*")]
    if name == "serviceAccounts":
        where, slash, account = text.partition("/")
        where, account = (where, account) if slash else (namespace, text)
        return [Leaf("peer", "regex", f"spiffe://.+/ns/{_quoted(where)}/(.+/|)sa/{_quoted(account)}(/.+)?")]
    if name == "trustDomains":
        return [_trust_domain(each) for each in (mesh.trust_domains if text in mesh.trust_domains else (text,))]
    if name == "requestPrincipals":
        return [_request_principal(text)]
    if name in _BLOCKS:
        return [Leaf(_BLOCKS[name], "block", block(text))]
    if name == "ports":
        return [Leaf("port", "exact", str(int(text)))]
    if name == "methods":
        return [_header(":method", text)]
    if name == "hosts":
        return [_header(":authority", text, " ignoring case")]
    if name == "paths":
        template = "{*}" in text or "{**}" in text
        return [Leaf("path", "template", text.replace("{**}", "**").replace("{*}", "*")) if template else _text("path", text)]
    if name == "connection.sni":
        return [_text("sni", text)]
    if name.startswith("request.headers["):
        return [_header(name[len("request.headers[") : -1].lower(), text)]
    if name.startswith("experimental.envoy.filters."):
        return [_metadata(name, text)]
    keys = {"request.auth.audiences": ("aud",), "request.auth.presenter": ("azp",)}.get(name) or claim_keys(
        name[len("request.auth.claims") :]
    )
    leaf = _text("claim " + "/".join(keys), text)
    return [Leaf(leaf.what, "list " + leaf.how, leaf.text), leaf]


def _text(what: str, value: str, before: str = "") -> Leaf:
    if value == "*":
        return Leaf(what, "regex", ".+")
    if value.startswith("*"):
        return Leaf(what, "regex", f"{before}.*{_quoted(value[1:])}") if before else Leaf(what, "suffix", value[1:])
    if value.endswith("*"):
        return Leaf(what, "prefix", before + value[:-1])
    return Leaf(what, "exact", before + value)


def _header(name: str, value: str, case: str = "") -> Leaf:
    what = f"header {name}"
    if value == "*":
        return Leaf(what, "present")
    leaf = _text(what, value)
    return Leaf(what, leaf.how + case, leaf.text)


def _trust_domain(value: str) -> Leaf:
    if value == "*":
        return Leaf("peer", "prefix", "spiffe://")
    if "*" not in value:
        return Leaf("peer", "prefix", f"spiffe://{value}/")
    before, _, after = value.partition("*")
    return Leaf("peer", "regex", f"spiffe://{_quoted(before)}[^/]*{_quoted(after)}/.*")


def _request_principal(value: str) -> Condition:
    issuer, slash, subject = value.rpartition("/")
    if not slash:
        issuer, subject = ("*", value) if value.startswith("*") else (value, "*" if value.endswith("*") else "")
        if value == "*":
            issuer, subject = "*", "*"
    elif value.startswith("*"):
        return all_of([_text("claim iss", issuer), Leaf("claim sub", "exact", subject)])
    elif value.endswith("*"):
        return all_of([Leaf("claim iss", "exact", issuer), _text("claim sub", subject)])
    else:
        return all_of([Leaf("claim iss", "exact", issuer), Leaf("claim sub", "exact", subject)])
    return all_of([_text("claim iss", issuer), _text("claim sub", subject) if subject else Leaf("claim sub", "exact", "")])


def _metadata(key: str, value: str) -> Leaf:
    name, _, inner = key.removeprefix("experimental.").removesuffix("]").partition("[")
    listed = value.startswith("[") and value.endswith("]")
    leaf = _text(f"metadata {name} {inner}", value.strip("[]") if listed else value)
    return Leaf(leaf.what, ("list " if listed else "") + leaf.how, leaf.text)


def block(text: str) -> str:
    """An address or a block of them, as a block without host bits; other text as it is."""
    from ipaddress import ip_network

    try:
        return str(ip_network(text, strict=False))
    except ValueError:
        return text


def _quoted(text: str) -> str:
    """As Go's regexp.QuoteMeta."""
    return _SPECIAL.sub(r"\\\1", text)
