"""Tables over all objects of a World: by namespace, by label, by the names that they may be asked for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from meshcheck.model.core import Service, Workload


def by_label(workloads: Iterable[Workload]) -> dict[tuple[str, str, str], list[Workload]]:
    out: dict[tuple[str, str, str], list[Workload]] = {}
    for workload in workloads:
        for key, value in workload.pod_labels.items():
            out.setdefault((workload.namespace, key, value), []).append(workload)
    return out


def by_first_label(services: Iterable[Service]) -> dict[tuple[str, str, str], list[Service]]:
    """Each Service under one label of its selector: pods that it selects have that label."""
    out: dict[tuple[str, str, str], list[Service]] = {}
    for service in services:
        if service.selector:
            key, value = next(iter(service.selector.items()))
            out.setdefault((service.namespace, key, value), []).append(service)
    return out


def by_namespace(objects: Iterable[Any]) -> dict[str, tuple[Any, ...]]:
    out: dict[str, list[Any]] = {}
    for item in objects:
        out.setdefault(item.meta.namespace, []).append(item)
    return {namespace: tuple(items) for namespace, items in out.items()}


def names(workloads: tuple[Workload, ...]) -> dict[str, Workload]:
    """All names by which workloads of one namespace may be asked for; what stands first in this function wins."""
    out: dict[str, Workload] = {}
    for workload in workloads:
        out.setdefault(f"{workload.kind}/{workload.name}", workload)
    for workload in workloads:
        if workload.kind != "Pod":
            out.setdefault(workload.name, workload)
    for workload in workloads:
        out.setdefault(workload.name, workload)
    for workload in workloads:
        if workload.owner is not None:
            out.setdefault(f"{workload.owner.kind}/{workload.owner.name}", workload)
            out.setdefault(workload.owner.name, workload)
            if workload.owner.kind == "ReplicaSet":  # Deployment's name with a hash behind it
                out.setdefault(f"Deployment/{workload.owner.name.rpartition('-')[0]}", workload)
                out.setdefault(workload.owner.name.rpartition("-")[0], workload)
    return out
