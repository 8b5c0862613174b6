"""CUSTOM, AUDIT, DENY, ALLOW: what a proxy's authorization says to one call.

Source: istio/istio:pilot/pkg/security/authz/builder/builder.go:build; the order is that of the filters.
"""

from __future__ import annotations

from collections.abc import Iterable

from meshcheck.model.record import NamedTuple
from meshcheck.semantics.authorization.attributes import Attributes
from meshcheck.semantics.authorization.policies import CompiledPolicies, CompiledRule


class Decision(NamedTuple):
    """`allowed` is None when it hangs on `missing`; `policy_id` is Envoy's name of the deciding rule, or `none`."""

    allowed: bool | None
    rule: CompiledRule | None
    policy_id: str | None
    missing: str | None = None
    why: str = ""
    """What happens, where the rule alone does not say it."""
    status: int = 403
    """Of a refusal."""


ALLOWED = Decision(True, None, None)


def first_match(rules: Iterable[CompiledRule], attributes: Attributes) -> tuple[CompiledRule | None, CompiledRule | None]:
    """(the first rule by name that matches, the first that may match)."""
    maybe = None
    for rule in rules:
        matched = rule.holds(attributes)
        if matched:
            return rule, maybe
        if matched is None and maybe is None:
            maybe = rule
    return None, maybe


def deny(policies: CompiledPolicies, attributes: Attributes) -> Decision:
    """Whether a DENY rule matches."""
    matched, maybe = first_match(policies.deny, attributes)
    if matched is not None:
        return Decision(False, matched, matched.name)
    if maybe is not None:
        return Decision(None, maybe, None, missing_attribute(maybe, attributes))
    return ALLOWED


def allow(policies: CompiledPolicies, attributes: Attributes) -> Decision:
    """Whether an ALLOW rule matches, where there are ALLOW policies at all."""
    if not policies.allow_policies:
        return ALLOWED
    matched, maybe = first_match(policies.allow, attributes)
    if matched is not None:
        return Decision(True, matched, matched.name)
    if maybe is not None:
        return Decision(None, maybe, None, missing_attribute(maybe, attributes))
    return Decision(False, None, "none")


FACTS = {
    "source_ip": "the address that the connection comes from (`--source-ip`)",
    "remote_ip": "the caller's original address (`--source-ip`)",
    "destination_ip": "the address of the pod",
    "principal": "the identity that the caller presents",
    "payload": "the claims of the token (`--jwt` or `--claims`)",
    "headers": "the headers of the request (`-H`)",
    "authority": "the Host header of the request",
    "path": "the path of the request",
    "method": "the method of the request (`-X`)",
    "sni": "the TLS server name",
    "metadata": "dynamic metadata that another Envoy filter sets",
    "destination_port": "the port of the pod",
}


def missing_attribute(rule: CompiledRule, attributes: Attributes) -> str:
    """The fact that an undecided rule waits for, in words."""
    every = [*(t for group in (*rule.sources, *rule.operations) for t in group), *rule.conditions]
    for test in every:
        if test.holds(attributes) is None:
            return test.fact or FACTS[test.needs]
    return "an attribute of the call"
