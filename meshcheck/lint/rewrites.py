"""Values of policies that name a request as it was before a route rewrote it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.gateway_routes import destination_of, has_known_account, legs
from meshcheck.lint.partial_calls import call_with
from meshcheck.lint.patterns import is_template, sample
from meshcheck.model.core import Workload
from meshcheck.model.istio_networking import HttpMatch, HttpRoute
from meshcheck.model.istio_security import AuthorizationPolicy
from meshcheck.model.objects import Meta, ObjectRef, Path
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.authorization import evaluate
from meshcheck.semantics.authorization.policies import CompiledPolicies, CompiledRule
from meshcheck.semantics.authorization.tests import Test
from meshcheck.semantics.gateway_api.attachment import KINDS
from meshcheck.semantics.gateway_api.conversion import convert
from meshcheck.semantics.routing.answers import rewritten
from meshcheck.semantics.routing.delegates import expanded
from meshcheck.semantics.routing.match import text_matches
from meshcheck.semantics.routing.selection import host_covers
from meshcheck.semantics.tracing.proxies import compiled
from meshcheck.semantics.world.sidecars import sidecar_of


class Changed(NamedTuple):
    """A value of a rule that a request had before the rewrite, and none of the rule's values has behind it."""

    policy: AuthorizationPolicy
    field: Path
    allow: bool
    server: Workload
    owner: Meta
    route: HttpRoute
    before: str
    after: str


class _Rewriting(NamedTuple):
    """A route that rewrites. `principals` are those of its gateways; None for callers of which nothing is known."""

    owner: Meta
    route: HttpRoute
    hosts: tuple[str, ...]
    principals: tuple[str | None, ...]


def changed_values(evidence: Evidence) -> Iterator[Changed]:
    """Each value once."""
    seen: set[tuple[ObjectRef, Path]] = set()
    for item in _rewriting(evidence):
        for server in _servers(evidence, item):
            policies = compiled(evidence.world, server, True)
            for one in (*policies.allow, *policies.deny):
                for found in _of_rule(policies, one, item, server):
                    if (found.policy.meta.ref, found.field) not in seen:
                        seen.add((found.policy.meta.ref, found.field))
                        yield found


def _rewriting(evidence: Evidence) -> Iterator[_Rewriting]:
    world, accounts = evidence.world, _accounts(evidence)
    for virtual in evidence.of("VirtualService"):
        for route in expanded(world, virtual).http if virtual.hosts else ():
            if route.rewrite:
                unknown = (None,) if "mesh" in virtual.gateways else ()
                yield _Rewriting(virtual.meta, route, virtual.hosts, (*accounts.get(virtual.meta.ref, ()), *unknown))
    for kind in KINDS[:2]:
        for item in evidence.of(kind):
            for route in convert(world, item).routes:
                if route.rewrite:
                    yield _Rewriting(item.meta, route, item.hostnames, tuple(accounts.get(item.meta.ref, ())) or (None,))


def _accounts(evidence: Evidence) -> dict[ObjectRef, list[str | None]]:
    """Identities of the gateways on which each route is; None where the account of the pods is not known."""
    out: dict[ObjectRef, list[str | None]] = {}
    domain = evidence.world.mesh.trust_domain
    for leg in legs(evidence):
        known = has_known_account(evidence, leg.gateway)
        out.setdefault(leg.owner.ref, []).append(
            f"spiffe://{domain}/ns/{leg.gateway.namespace}/sa/{leg.gateway.service_account}" if known else None
        )
    return {ref: list(dict.fromkeys(found)) for ref, found in out.items()}


def _servers(evidence: Evidence, item: _Rewriting) -> Iterator[Workload]:
    for destination in item.route.destinations:
        service = destination_of(evidence, item.owner, destination).service
        for server in evidence.world.pods_of(service) if service is not None else ():
            if sidecar_of(evidence.world, server).present:
                yield server


def _of_rule(policies: CompiledPolicies, one: CompiledRule, item: _Rewriting, server: Workload) -> Iterator[Changed]:
    for group in one.operations:
        for test in group:
            if test.field.negated or test.field.name not in ("paths", "hosts"):
                continue
            for number, value in enumerate(test.field.values):
                for match in item.route.matches or (None,):
                    change = _change(item, match, test, value)
                    if change is not None and _decides(policies, one, test, item, change):
                        allow = one.policy.action == "ALLOW"
                        yield Changed(one.policy, (*test.field.path, number), allow, server, item.owner, item.route, *change)
                        break


def _change(item: _Rewriting, match: HttpMatch | None, test: Test, value: str) -> tuple[str, str] | None:
    """(before, after) of a request with a value that the route takes, where no value of the rule fits what arrives."""
    before = _path_before(match, value) if test.field.name == "paths" else _host_before(item, value)
    if before is None:
        return None
    if test.field.name == "paths":
        after = rewritten(item.route, match, before, "", "")[0]
    else:
        after = rewritten(item.route, match, "/", "", before)[1]
    if after == before or any(matches(after) for matches in test.matches):
        return None
    return before, after


def _path_before(match: HttpMatch | None, value: str) -> str | None:
    """A path that a value names and the route takes, if the value begins with the very prefix that the route looks for."""
    wanted = match.path if match is not None else None
    if wanted is None or wanted.kind not in ("exact", "prefix", "segments") or not wanted.value.strip("/"):
        return None
    if value.startswith("*") or is_template(value):
        return None
    text = sample(value)
    if text_matches(wanted, text):
        return text
    return wanted.value if value.endswith("*") and len(text) > 1 and wanted.value.startswith(text) else None


def _host_before(item: _Rewriting, value: str) -> str | None:
    """A host that a value names and the route has."""
    text = sample(value).lower()
    if value.startswith("*") or value.endswith("*") or not any(host_covers(host.lower(), text) for host in item.hosts if host != "*"):
        return None
    return text


def _decides(policies: CompiledPolicies, one: CompiledRule, test: Test, item: _Rewriting, change: tuple[str, str]) -> bool:
    """Whether what arrives is certainly not admitted (ALLOW), or certainly not refused (DENY), for one of the callers."""
    attribute = "path" if test.field.name == "paths" else "authority"
    for principal in item.principals:
        known: dict[str, Any] = {"http": True} | ({"principal": principal} if principal else {})
        old, new = (call_with(**known, **{attribute: text}) for text in change)
        if one.holds(old) is False or one.holds(new) is not False:
            continue
        if one.policy.action == "ALLOW":
            if evaluate.allow(policies, new).allowed is False:
                return True
        elif evaluate.deny(policies, new).allowed is True and evaluate.allow(policies, new).allowed is not False:
            return True
    return False
