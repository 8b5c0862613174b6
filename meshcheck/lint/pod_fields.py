"""Where the parts of a pod stand in the objects that hold one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from meshcheck.model.core import Workload
from meshcheck.model.objects import Path


def pod_path(workload: Workload) -> Path:
    """The path of what a Pod has at its top: `metadata` and `spec` are below it."""
    if workload.kind == "Pod":
        return ()
    if workload.kind == "CronJob":
        return ("spec", "jobTemplate", "spec", "template")
    return ("spec", "template")


def containers_path(workload: Workload) -> Path:
    """The path of the containers."""
    return (*pod_path(workload), "spec", "containers")


def containers(workload: Workload) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """(index, value) of the containers, as they were written: what is inside may be of any type."""
    yield from entries(workload.pod.get("containers"))


def entries(value: Any) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """(index, value) of the mappings in a list; nothing for what is no list."""
    yield from ((n, item) for n, item in enumerate(value if isinstance(value, list) else ()) if isinstance(item, dict))


def part(value: Any, name: str) -> Mapping[str, Any]:
    """A mapping in a mapping; empty for what is none."""
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}
