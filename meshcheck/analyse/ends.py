"""The two ends of calls: who calls, and what can be called."""

from __future__ import annotations

from meshcheck.model.core import Workload
from meshcheck.model.question import Caller, Target
from meshcheck.model.record import NamedTuple


class Party(NamedTuple):
    """One caller; `workload` is None for those that are no workload of the input."""

    caller: Caller
    workload: Workload | None


class End(NamedTuple):
    """One place that can be called: a port of a Service or of a pod, or a URL. `workloads`: who answers there."""

    target: Target
    protocol: str
    workloads: tuple[Workload, ...]
    direct: bool = False
    paths: tuple[str, ...] = ()
    """Where the address names one."""
