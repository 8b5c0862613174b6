"""What policies ask of verified tokens, and which issuers a proxy accepts."""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.partial_calls import call_with
from meshcheck.model.core import Workload
from meshcheck.model.istio_networking import GATEWAY, INBOUND
from meshcheck.model.istio_security import RequestAuthentication
from meshcheck.semantics.attachment import selects
from meshcheck.semantics.authorization import evaluate
from meshcheck.semantics.authorization.policies import CompiledPolicies, CompiledRule
from meshcheck.semantics.authorization.tests import Test
from meshcheck.semantics.gateway.pods import is_gateway
from meshcheck.semantics.tracing.proxies import compiled


def enforced(policies: CompiledPolicies) -> tuple[CompiledRule, ...]:
    """The rules that decide: ALLOW and DENY, without dry-run."""
    return (*policies.allow, *policies.deny)


def token_tests(rule: CompiledRule) -> Iterator[Test]:
    """The tests of a rule that look at a verified token."""
    for group in (*rule.sources, *rule.operations, rule.conditions):
        yield from (test for test in group if test.needs == "payload")


def asks_for_tokens(evidence: Evidence, workload: Workload) -> bool:
    """Whether a policy of a workload looks at tokens, or an external authorizer may."""
    policies = compiled(evidence.world, workload, True)
    return bool(policies.custom) or any(True for rule in enforced(policies) for _ in token_tests(rule))


def refuses_without_token(evidence: Evidence, workload: Workload) -> bool:
    """Whether no HTTP request without a token gets past a workload's policies, whatever else it has."""
    policies = compiled(evidence.world, workload, True)
    a = call_with(payload=None)
    return evaluate.deny(policies, a).allowed is False or evaluate.allow(policies, a).allowed is False


def authentications(evidence: Evidence, workload: Workload) -> tuple[RequestAuthentication, ...]:
    """RequestAuthentications that verify tokens for a workload.

    Where it only stands for gateway pods that are not in the input, nobody knows their namespace: all that may select them count.
    """
    world = evidence.world
    found = world.request_authentications(workload)
    if workload.meta.origin is None and is_gateway(workload):
        found = tuple(p for p in evidence.of("RequestAuthentication") if not p.attachment.targets and _may_select(p, workload)) or found
    return tuple(p for p in found if p.rules)


def may_verify(evidence: Evidence, workload: Workload) -> bool:
    """Whether something of somebody's own stands in the proxy where it takes calls, and may verify tokens."""
    listener = GATEWAY if is_gateway(workload) else INBOUND
    return any(e.is_for(listener, None, True) for e in evidence.world.extensions(workload))


def _may_select(policy: RequestAuthentication, workload: Workload) -> bool:
    return selects(policy.attachment.selector, workload.pod_labels)


def issuers(evidence: Evidence, workload: Workload) -> tuple[str, ...] | None:
    """The issuers that a workload accepts; None where it takes any, because a rule names none."""
    names = [rule.issuer for policy in authentications(evidence, workload) for rule in policy.rules]
    return None if "" in names else tuple(dict.fromkeys(names))
