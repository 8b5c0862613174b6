"""Where the parts of a pod stand in the objects that hold one."""

from __future__ import annotations

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
