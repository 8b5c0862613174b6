"""Whether a rule covers a port."""

from __future__ import annotations

from meshcheck.model.network_policy import PolicyRule, PortRange
from meshcheck.semantics.network_policy.peers import Endpoint


def covers(span: PortRange, target: Endpoint, protocol: str, port: int) -> bool:
    """Whether one entry covers a port. A name is resolved on the destination, the first container port that has it."""
    if span.protocol is not None and span.protocol != protocol:
        return False
    if span.name is not None:
        if target.workload is None:
            return False
        found = next(
            (p for p in target.workload.ports if p.name == span.name and (span.protocol is None or p.protocol == span.protocol)), None
        )
        return found is not None and found.number == port and found.protocol == protocol
    return span.low <= port <= span.high


def covered(rule: PolicyRule, target: Endpoint, protocol: str, port: int) -> bool:
    """Whether a rule covers a port; without entries it covers all."""
    return not rule.ports or any(covers(span, target, protocol, port) for span in rule.ports)
