"""The workloads that a value of a rule names: by account, or by namespace."""

from __future__ import annotations

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.proxies import servers
from meshcheck.model.core import Workload
from meshcheck.model.istio_security import AuthorizationPolicy, Field

_NAMES = {"source.principal": "principals", "source.namespace": "namespaces", "source.serviceAccount": "serviceAccounts"}


def account_of(value: str, field: str, policy_namespace: str) -> tuple[str, str] | None:
    """(namespace, account) that a value of `principals` or `serviceAccounts` names exactly; None for wildcards and other fields."""
    field = _NAMES.get(field, field)
    if "*" in value:
        value = value.removeprefix("*/") if value.startswith("*/ns/") else ""
        value = f"any/{value}" if value and "*" not in value else ""
    if field == "principals":
        parts = value.split("/")
        return (parts[2], parts[4]) if len(parts) == 5 and parts[1] == "ns" and parts[3] == "sa" else None
    if field == "serviceAccounts" and value:
        namespace, slash, name = value.partition("/")
        return (namespace, name) if slash else (policy_namespace, value)
    return None


def workloads_with(evidence: Evidence, namespace: str, account: str) -> tuple[Workload, ...]:
    """The workloads that run under an account."""
    return tuple(evidence.once("workloads by account", lambda: _by_account(evidence)).get((namespace, account), ()))


def named_callers(evidence: Evidence, policy: AuthorizationPolicy, field: Field, value: str) -> tuple[Workload, ...]:
    """The workloads that a value of `principals`, `serviceAccounts` or `namespaces` names exactly; empty for wildcards."""
    account = account_of(value, field.name, policy.meta.namespace)
    if account is not None:
        return workloads_with(evidence, *account)
    if _NAMES.get(field.name, field.name) == "namespaces" and "*" not in value:
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
