"""The workloads that a value of a rule names: by account, or by namespace."""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.fields import values_of
from meshcheck.lint.identities import account_in
from meshcheck.lint.proxies import servers
from meshcheck.model.core import Workload
from meshcheck.model.istio_security import AuthorizationPolicy, Field
from meshcheck.model.objects import Path
from meshcheck.semantics.authorization.tests import WHEN


def account_of(evidence: Evidence, policy: AuthorizationPolicy, field: Field, value: str) -> tuple[str, str] | None:
    """(namespace, account) that a value of `principals` or `serviceAccounts` names exactly; None for wildcards and other fields."""
    kind = WHEN.get(field.name, field.name)
    if (kind == "principals" and value.count("/") == 4) or kind == "serviceAccounts":
        return account_in(value, policy.meta.namespace, evidence.world.mesh.trust_domains)
    return None


def granted_accounts(evidence: Evidence) -> Iterator[tuple[AuthorizationPolicy, Path, str, tuple[str, str]]]:
    """(policy, path of the value, value, (namespace, account)) of all values of ALLOW rules that name one account."""
    for policy in evidence.of("AuthorizationPolicy"):
        for rule in policy.rules if policy.action == "ALLOW" else ():
            for field in (field for fields in (*rule.sources, rule.conditions) for field in fields if not field.negated):
                for path, value in values_of(field):
                    account = account_of(evidence, policy, field, value)
                    if account is not None:
                        yield policy, path, value, account


def workloads_with(evidence: Evidence, namespace: str, account: str) -> tuple[Workload, ...]:
    """The workloads that run under an account."""
    return tuple(evidence.once("workloads by account", lambda: _by_account(evidence)).get((namespace, account), ()))


def named_callers(evidence: Evidence, policy: AuthorizationPolicy, field: Field, value: str) -> tuple[Workload, ...]:
    """The workloads that a value of `principals`, `serviceAccounts` or `namespaces` names exactly; empty for wildcards."""
    account = account_of(evidence, policy, field, value)
    if account is not None:
        return workloads_with(evidence, *account)
    if WHEN.get(field.name, field.name) == "namespaces" and "*" not in value:
        table = evidence.once("servers by namespace", lambda: _by_namespace(evidence))
        return tuple(table.get(value, ()))
    return ()


def _by_account(evidence: Evidence) -> dict[tuple[str, str], list[Workload]]:
    out: dict[tuple[str, str], list[Workload]] = {}
    for workload in servers(evidence):
        out.setdefault((workload.namespace, workload.service_account), []).append(workload)
    return out


def _by_namespace(evidence: Evidence) -> dict[str, list[Workload]]:
    out: dict[str, list[Workload]] = {}
    for workload in servers(evidence):
        out.setdefault(workload.namespace, []).append(workload)
    return out
