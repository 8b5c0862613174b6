"""What Calico's policies are looked up in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from meshcheck.model.calico import NetworkSet
from meshcheck.model.core import Workload
from meshcheck.model.record import record
from meshcheck.semantics.network_policy.peers import Endpoint


@record
class Surroundings:
    """What is known beside the policies. Functions answer None where that is not in the input."""

    sets: tuple[NetworkSet, ...]
    sets_complete: bool
    """Whether there are no other sets."""
    hosts: bool
    """Whether there are HostEndpoints, so that hosts are subjects and peers of policies."""
    namespace_labels: Callable[[str], Mapping[str, str] | None]
    account_labels: Callable[[str, str], Mapping[str, str] | None]
    """Of a namespace and the name of a service account."""
    backs: Callable[[tuple[str, str], Endpoint, str, int | None], bool | None]
    """Whether an end is an endpoint of a Service (namespace, name), for a protocol, at a port (None: at any)."""
    pods: Callable[[], Iterable[Endpoint]]
    looks_at_requests: Callable[[Workload], bool]
    """Whether application layer policy may be in a pod."""
    rejects: bool
    """Whether Felix answers what it denies, instead of dropping it."""
    kept: dict[object, bool]
    """Answers that cost something."""
