"""Callers without an identity: where they are let in, and what policies make of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.partial_calls import call_with
from meshcheck.lint.patterns import sample
from meshcheck.lint.ports import Port, named_ports, ports_of
from meshcheck.lint.selection import applies_to
from meshcheck.model.core import Workload
from meshcheck.model.istio_security import AuthorizationPolicy, Field, Rule
from meshcheck.semantics.authentication.peer import Mode
from meshcheck.semantics.authorization import evaluate
from meshcheck.semantics.authorization.attributes import Attributes
from meshcheck.semantics.gateway.pods import is_gateway
from meshcheck.semantics.port_protocol import TCP
from meshcheck.semantics.tracing.proxies import compiled
from meshcheck.semantics.tracing.server import bypasses_sidecar, peer_mode
from meshcheck.semantics.world.sidecars import sidecar_of

IDENTITY = frozenset(
    [
        "principals", "namespaces", "serviceAccounts", "trustDomains",
        "source.principal", "source.namespace", "source.serviceAccount", "source.trustDomain",
    ]
)  # fmt: skip
"""Fields and keys that look at the certificate of the caller."""
_SAMPLED = {"methods": "method", "paths": "path", "hosts": "authority"}


def groups(rule: Rule) -> Iterator[tuple[Field, ...]]:
    """The ways in which a caller satisfies a rule: the fields of each source, with the conditions."""
    for source in rule.sources or ((),):
        yield (*source, *rule.conditions)


def sidecar_ports(evidence: Evidence, policy: AuthorizationPolicy) -> Iterator[tuple[Workload, Port]]:
    """Ports of workloads that a policy applies to and whose sidecar enforces it; gateways have listeners of their own kind."""
    for workload in applies_to(evidence, policy):
        if not is_gateway(workload) and sidecar_of(evidence.world, workload).present:
            for port in ports_of(evidence, workload):
                if not bypasses_sidecar(workload, port.number):
                    yield workload, port


def plaintext_mode(evidence: Evidence, workload: Workload, port: int) -> Mode | None:
    """The mode by which a port takes calls in plaintext; None where it does not, or where a policy that is not known may forbid it."""
    mode = peer_mode(evidence.world, workload, port)
    known = mode.policy is not None or evidence.world.complete("PeerAuthentication")
    return mode if known and mode.mode != "STRICT" else None


def gets_through(evidence: Evidence, workload: Workload, port: Port, rule: Rule) -> bool:
    """Whether a caller without identity may do what a rule is about, as far as AuthorizationPolicies say."""
    http = port.protocol != TCP
    policies = compiled(evidence.world, workload, http)
    call = _call(rule.operations, port.number, http)
    return evaluate.deny(policies, call).allowed is not False and evaluate.allow(policies, call).allowed is not False


def _call(operations: Iterable[tuple[Field, ...]], port: int, http: bool) -> Attributes:
    """A call in plaintext that fits one of some operations at a port; what they do not ask for is undecided."""
    known: dict[str, Any] = {"http": http, "destination_port": port, "principal": None}
    for operation in operations:
        wanted = named_ports(operation)
        if not wanted or port in wanted:
            asked = (f for f in operation if f.name in _SAMPLED and not f.negated)
            known |= {_SAMPLED[field.name]: sample(field.values[0]) for field in asked}
            break
    return call_with(**known)
