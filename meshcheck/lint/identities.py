"""Service accounts that rules name, and those that exist."""

from __future__ import annotations

from collections.abc import Sequence

from meshcheck.lint.evidence import Evidence
from meshcheck.semantics.world.names import service_accounts

ALWAYS_THERE = ("default", "kube-system", "kube-public", "kube-node-lease")
"""Namespaces that every cluster has, written down or not."""


def account_in(value: str, policy_namespace: str, trust_domains: Sequence[str]) -> tuple[str, str] | None:
    """(namespace, account) that a principal or a service account names; None for wildcards, other forms, and foreign trust domains."""
    parts = value.split("/")
    if "*" in (value[2:] if value.startswith("*/") else value):
        return None
    if len(parts) == 5:
        local = parts[0] in ("*", "cluster.local", *trust_domains)
        return (parts[2], parts[4]) if parts[1] == "ns" and parts[3] == "sa" and local and all(parts) else None
    if value.startswith("*"):
        return None
    if len(parts) == 2:
        return (parts[0], parts[1]) if all(parts) else None
    return (policy_namespace, value) if len(parts) == 1 and ":" not in value else None


def known_accounts(evidence: Evidence) -> dict[tuple[str, str], None]:
    """(namespace, name) of accounts: written, used by a workload, made for a Gateway by istiod, or `default`, which every namespace has.

    Source: istio/istio:pilot/pkg/config/kube/gatewaycommon/deploymentcontroller.go (accounts of gateways that it deploys).
    """

    def find() -> dict[tuple[str, str], None]:
        out = dict(service_accounts(evidence.world))
        for name in evidence.world.namespaces:
            out[name, "default"] = None
        for gateway in evidence.of("Gateway"):
            given = gateway.meta.annotations.get("gateway.istio.io/service-account")
            for name in (gateway.meta.name, f"{gateway.meta.name}-{gateway.class_name}", given):
                if name:
                    out[gateway.meta.namespace, name] = None
        return out

    return evidence.once("known accounts", find)
