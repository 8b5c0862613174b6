"""A NetworkPolicy does not admit the address that probes come from in ambient mode, so the pod never becomes ready.

## Finds

Pods in ambient mode with a probe over the network, that a NetworkPolicy isolates for ingress and no rule opens the probed port for
169.254.7.127.

## Why it matters

In ambient mode the node rewrites the source of the kubelet's probes to this link-local address. Network plugins that let the node's own
address through do not know it: they drop the probe, and the pod is restarted or never ready. Istio's documentation asks for a rule.

## Avoid

```yaml
ingress: [{from: [{podSelector: {}}]}]
```

## Prefer

```yaml
ingress:
- from: [{podSelector: {}}]
- from: [{ipBlock: {cidr: 169.254.7.127/32}}]
```

## Exceptions

Plugins that decide about the node before the address is rewritten, and let it in always. Clusters of IPv6 use
fd16:9254:7127:1337:ffff:ffff:ffff:ffff.

## Silent when

It is not known that the pod is in ambient mode; its probes are commands; an admin policy may decide.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.ambient import captured
from meshcheck.lint.evidence import Evidence
from meshcheck.lint.network_policies import all_policies, decided_elsewhere, end_of, isolating
from meshcheck.lint.probes import probed_ports
from meshcheck.lint.proxies import listed
from meshcheck.lint.repair import adding
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.core import Workload
from meshcheck.model.network_policy import INGRESS, NetworkPolicy
from meshcheck.semantics.network_policy import evaluate
from meshcheck.semantics.network_policy.peers import Endpoint

_ADDRESSES = ("169.254.7.127", "fd16:9254:7127:1337:ffff:ffff:ffff:ffff")


@rule("MC714", "ambient-probe-blocked", severity="error", needs="documents", confidence="medium")
def check(evidence: Evidence) -> Iterator[Found]:
    """Pods whose probes are dropped; one finding for each policy."""
    hurt: dict[int, tuple[NetworkPolicy, list[tuple[Workload, int]]]] = {}
    for workload in captured(evidence) if not decided_elsewhere(evidence) else ():
        policies = isolating(evidence, workload, INGRESS)
        for number in probed_ports(workload) if policies else ():
            if all(_dropped(evidence, workload, number, address) for address in _ADDRESSES):
                first = next((p for p in policies if p.ingress), policies[0])
                hurt.setdefault(id(first), (first, []))[1].append((workload, number))
                break
    for policy, probed in hurt.values():
        workload, number = probed[0]
        words = f"probes of {listed(w for w, _ in probed)} are dropped: in ambient mode they come from {_ADDRESSES[0]}, and no rule admits "
        words += f"that to port {number}"
        rule_of_its_own = {"from": [{"ipBlock": {"cidr": f"{_ADDRESSES[0]}/32"}}]}
        written = "ingress" in (evidence.raw(policy.meta).get("spec") or {}) and policy.ingress
        fix = (
            adding(policy.meta, ("spec", INGRESS, "-"), rule_of_its_own, "admit the probes", safe=False)
            if written
            else adding(policy.meta, ("spec", INGRESS), [rule_of_its_own], "admit the probes", safe=False)
        )
        yield found(policy.meta, ("spec", INGRESS) if written else ("spec",), words, fix=fix)


def _dropped(evidence: Evidence, workload: Workload, number: int, address: str) -> bool:
    probe = Endpoint(None, None, address)
    sides = evaluate(all_policies(evidence), probe, end_of(evidence, workload), "TCP", number, explain=False)
    return any(side.allowed is False for side in sides)
