"""AuthorizationPolicies compiled for ztunnel: the rules of `ztunnel.py` with the tests that ztunnel makes of a connection.

Identities and namespaces are compared as they are written: no trust domain stands for another, a namespace is that of the certificate. A
caller without an identity matches no positive field and every negative one. What ztunnel is not told of a rule is `dropped`.

Source: istio/ztunnel:src/rbac.rs:Authorization::matches, StringMatch::matches_principal, ServiceAccountMatch::matches.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from meshcheck.model.core import Workload
from meshcheck.model.istio_security import AuthorizationPolicy, Field
from meshcheck.semantics.ambient.ztunnel import Translated, is_sent, told, translate
from meshcheck.semantics.authorization import peers, strings
from meshcheck.semantics.authorization.attributes import Attributes
from meshcheck.semantics.authorization.policies import CompiledPolicies, CompiledRule, Tests
from meshcheck.semantics.authorization.tests import WHEN, Test, compile_address, compile_ports
from meshcheck.semantics.watching import Pattern, Watcher
from meshcheck.semantics.world.world import World

UNREAD = "by ztunnel, which reads no requests"


def compiled_for(world: World, workload: Workload) -> CompiledPolicies:
    """The policies that ztunnel applies to a workload."""
    return world.once(("at ztunnel", id(workload)), lambda: compile_policies(world.authorization_policies(workload)))


def compile_policies(attached: Iterable[AuthorizationPolicy]) -> CompiledPolicies:
    """The policies that apply to a workload, as ztunnel has them. `attached` keeps those that it never gets."""
    every = tuple(attached)
    sent = [policy for policy in every if is_sent(policy)]
    rules = {action: tuple(_rule(p, t) for p in sent if p.action == action for t in translate(p)) for action in ("DENY", "ALLOW")}
    allowing = tuple(p for p in sent if p.action == "ALLOW")
    return CompiledPolicies((), (), rules["DENY"], rules["ALLOW"], allowing, (), every)


def _rule(policy: AuthorizationPolicy, translated: Translated) -> CompiledRule:
    rule, namespace = translated.rule, policy.meta.namespace

    def alternatives(groups: tuple[tuple[Field, ...], ...]) -> tuple[Tests, ...]:
        """What is empty never matches: it counts only where nothing else is there, and then the rule is impossible."""
        return tuple(tuple(_test(field, namespace) for field in kept) for fields in groups if (kept := told(fields).kept))

    return CompiledRule(
        policy=policy,
        rule=rule,
        name=f"{namespace}/{policy.meta.name}",
        sources=alternatives(rule.sources),
        operations=alternatives(rule.operations),
        conditions=tuple(_test(field, namespace) for field in told(rule.conditions).kept),
        dropped=tuple(Test(field, "", True, (), _never, None) for clause in translated.clauses for match in clause for field in match.lost),
        impossible=translated.left_out or bool(translated.void),
        unread=UNREAD,
    )


def _test(field: Field, policy_namespace: str) -> Test:
    name = WHEN.get(field.name, field.name)
    if name == "ports":
        return compile_ports(field)
    if name in ("ipBlocks", "destination.ip"):
        return compile_address(field, "source_ip" if name == "ipBlocks" else "destination_ip")
    if name == "principals":
        return _identity(field, tuple(map(peers.literal_principal, field.values)), tuple(map(peers.literal_pattern, field.values)))
    if name == "namespaces":
        expressions = [_segment(value, "[^/]+/ns/{}/sa/.*") for value in field.values]
    else:
        pairs = [value.partition("/") for value in field.values]
        named = [(first, rest) if slash else (policy_namespace, first) for first, slash, rest in pairs]
        expressions = [f"[^/]+/ns/{re.escape(namespace)}/sa/{re.escape(account)}" for namespace, account in named]
    whole = [peers.SCHEME + expression for expression in expressions]
    matches = tuple(_whole(expression) for expression in whole)
    return _identity(field, matches, tuple(Pattern("regex", expression) for expression in whole))


def _segment(value: str, around: str) -> str:
    """A namespace as part of an identity: a star alone, before or after it; inside it is an ordinary letter."""
    if value == "*":
        return around.format("[^/]+")
    if value.startswith("*"):
        return around.format("[^/]*" + re.escape(value[1:]))
    return around.format(re.escape(value[:-1]) + "[^/]*" if value.endswith("*") else re.escape(value))


def _whole(expression: str) -> strings.Match:
    compiled = re.compile(expression)
    return lambda san: compiled.fullmatch(san) is not None


def _identity(field: Field, matches: tuple[strings.Match, ...], patterns: tuple[Pattern, ...]) -> Test:
    def check(a: Attributes) -> bool:
        san = a.principal
        return san is not None and any(match(san) for match in matches)

    def tell(by: Watcher, a: Attributes, found: bool) -> None:
        if a.principal is not None:
            by.principal(lambda: patterns, a.principal, found)

    return Test(field, "principal", False, matches, check, tell)


def _never(_: object) -> bool:
    return False
