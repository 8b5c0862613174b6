"""A NetworkPolicy of a pod in ambient mode opens the application's port and not 15008, so calls of the mesh are dropped.

## Finds

Rules that admit pods in ambient mode to (ingress), or from (egress), pods in ambient mode on some ports, where no NetworkPolicy of the
selected pod opens TCP 15008 for them.

## Why it matters

Between pods in ambient mode calls travel in a tunnel to port 15008 of the pod, whatever port was called. The network plugin sees that port
and drops the packets: the caller hangs for ten seconds and gets a reset.

## Avoid

```yaml
ingress:
- from: [{podSelector: {matchLabels: {app: web}}}]
  ports: [{port: 8080}]
```

## Prefer

```yaml
ingress:
- from: [{podSelector: {matchLabels: {app: web}}}]
  ports: [{port: 8080}, {port: 15008}]
```

## Exceptions

None. With 15008 open the NetworkPolicy no longer tells the application's ports apart; an AuthorizationPolicy does.

## Silent when

It is not known that both ends are in ambient mode; an admin policy may decide; the rule is for a protocol that the mesh does not take.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.ambient import captured, is_captured
from meshcheck.lint.evidence import Evidence
from meshcheck.lint.network_policies import DIRECTIONS, covers_number, decided_elsewhere, isolating, meant, pod_peers, selected
from meshcheck.lint.proxies import listed
from meshcheck.lint.repair import adding
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.core import Workload
from meshcheck.model.network_policy import INGRESS, NetworkPolicy, PolicyRule

HBONE = 15008


@rule("MC712", "hbone-blocked", severity="error", needs="documents")
def check(evidence: Evidence) -> Iterator[Found]:
    """Rules without the port of the tunnel."""
    if not captured(evidence) or decided_elsewhere(evidence):
        return
    for policy in evidence.of("NetworkPolicy"):
        for direction in DIRECTIONS:
            for one in policy.rules(direction) if direction in policy.directions else ():
                if any(s.protocol == "TCP" for s in one.ports) and not covers_number(one, "TCP", HBONE):
                    shut = [w for w in selected(evidence, policy) if is_captured(evidence, w) and not _open(evidence, w, direction)]
                    if shut and _admits(evidence, policy, one):
                        yield _finding(policy, direction, one, shut)


def _open(evidence: Evidence, workload: Workload, direction: str) -> bool:
    """Whether a rule opens the tunnel's port to anybody: then somebody has thought of it."""

    def find() -> bool:
        rules = (one for policy in isolating(evidence, workload, direction) for one in policy.rules(direction))
        return any(covers_number(one, "TCP", HBONE) for one in rules)

    return evidence.once(("tunnel open", id(workload), direction), find)


def _admits(evidence: Evidence, policy: NetworkPolicy, one: PolicyRule) -> bool:
    """Whether a rule means a pod in ambient mode."""
    if not one.peers:
        return True
    return any(is_captured(evidence, w) for peer in pod_peers(one) for w in meant(evidence, policy, peer) or ())


def _finding(policy: NetworkPolicy, direction: str, one: PolicyRule, shut: list[Workload]) -> Found:
    way = "to" if direction == INGRESS else "from"
    words = (
        f"calls of the mesh {way} {listed(shut)} are dropped: in ambient mode they travel in a tunnel to port {HBONE}, which no rule opens"
    )
    value = {"port": HBONE, "protocol": "TCP"}
    fix = adding(policy.meta, (*one.field, "ports", "-"), value, f"open port {HBONE} to the same peers", safe=False)
    return found(policy.meta, (*one.field, "ports"), words, fix=fix)
