"""Pods and their controllers: who stands for whom.

Source: kubernetes/kubernetes:pkg/controller/deployment (the name of a ReplicaSet is that of its Deployment with a hash behind it).
"""

from __future__ import annotations

from collections.abc import Iterable

from meshcheck.model.core import Workload

Key = tuple[str, str, str]
"""(namespace, kind, name)"""


def standing(every: tuple[Workload, ...]) -> tuple[Workload, ...]:
    """Workloads without those that a controller among them has made."""
    owners = _owners(every)
    present = {_key(w) for w in every if w.kind != "Pod"}
    return tuple(w for w in every if w.owner is None or not any(key in present for key in _above(w, owners)))


def by_controller(every: Iterable[Workload]) -> dict[Key, tuple[Workload, ...]]:
    """The Pods that a cluster runs, under each of the controllers above them."""
    every = tuple(every)
    owners = _owners(every)
    out: dict[Key, list[Workload]] = {}
    for pod in every:
        if pod.kind == "Pod" and pod.runs and not pod.ended:
            for key in _above(pod, owners):
                out.setdefault(key, []).append(pod)
    return {key: tuple(pods) for key, pods in out.items()}


def _key(workload: Workload) -> Key:
    return workload.namespace, workload.kind, workload.name


def _owners(every: Iterable[Workload]) -> dict[Key, Workload]:
    return {_key(w): w for w in every if w.kind != "Pod" and w.owner is not None}


def _above(workload: Workload, owners: dict[Key, Workload]) -> list[Key]:
    """The controllers above a workload: a Pod's ReplicaSet, and its Deployment."""
    out: list[Key] = []
    at: Workload | None = workload
    while at is not None and at.owner is not None and len(out) < 5:
        key = at.namespace, at.owner.kind, at.owner.name
        out.append(key)
        at = owners.get(key)
        if at is None and key[1] == "ReplicaSet":
            out.append((key[0], "Deployment", key[2].rpartition("-")[0]))
    return out
