"""A NetworkPolicy keeps Prometheus from the port on which sidecars hand on metrics.

## Finds

Pods with a sidecar whose port 15020 no Prometheus of the input can reach, since a NetworkPolicy drops the connection.

## Why it matters

Istio's injection tells Prometheus to scrape port 15020 of every pod with a sidecar: the agent there serves the proxy's metrics and those of
the application. A policy that was written with the application's ports only makes both disappear, and alerts that need them never fire.

## Avoid

```yaml
ingress: [{from: [{podSelector: {}}], ports: [{port: 8080}]}]
```

## Prefer

```yaml
ingress:
- {from: [{podSelector: {}}], ports: [{port: 8080}]}
- from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}]
  ports: [{port: 15020}]
```

## Exceptions

Metrics that something else collects, such as an agent on the node or a push; a mesh with `enablePrometheusMerge: false`.

## Silent when

No Prometheus is in the input (by the image `prometheus` of a container), or one of them may reach the port; the pod asks not to be scraped
(`prometheus.io/scrape: "false"`) or not to merge metrics (MC308 looks at its own port); policies, namespaces or pods may be elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.network_policies import all_policies, decided_elsewhere, end_of, isolated, isolating
from meshcheck.lint.proxies import listed
from meshcheck.lint.repair import adding
from meshcheck.lint.rule import Found, found, rule
from meshcheck.lint.scrapers import MERGED_PORT, hands_on_metrics, scrapers_of
from meshcheck.model.core import Workload
from meshcheck.model.network_policy import INGRESS, NetworkPolicy
from meshcheck.model.trace import Fix
from meshcheck.semantics.network_policy import evaluate
from meshcheck.semantics.world.sidecars import sidecar_of

_KINDS = ("Workload", "NetworkPolicy", "Namespace", "ClusterNetworkPolicy", "AdminNetworkPolicy")

_NO = ("false", "False", "FALSE", "f", "F", "0")


@rule("MC717", "metrics-port-blocked", severity="warning", needs="absence", confidence="medium", kinds=_KINDS, audience="platform")
def check(evidence: Evidence) -> Iterator[Found]:
    """Pods whose metrics nobody can read; one finding for each policy."""
    scrapers = scrapers_of(evidence)
    hurt: dict[int, tuple[NetworkPolicy, list[Workload]]] = {}
    for workload in isolated(evidence, INGRESS) if scrapers and not decided_elsewhere(evidence) else ():
        asked = workload.pod_annotations.get("prometheus.io/scrape") not in _NO and hands_on_metrics(workload) and workload not in scrapers
        if asked and sidecar_of(evidence.world, workload).present and all(_dropped(evidence, s, workload) for s in scrapers):
            policies = isolating(evidence, workload, INGRESS)
            first = next((p for p in policies if p.ingress), policies[0])
            hurt.setdefault(id(first), (first, []))[1].append(workload)
    for policy, workloads in hurt.values():
        words = f"{listed(scrapers)} cannot scrape port {MERGED_PORT} of {listed(workloads)}, where the sidecar hands on all metrics"
        field, fix = (("spec", INGRESS), _fix(policy, scrapers[0])) if policy.ingress else (("spec",), None)
        yield found(policy.meta, field, words, fix=fix)


def _fix(policy: NetworkPolicy, scraper: Workload) -> Fix:
    peer = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": scraper.namespace}},
        "podSelector": {"matchLabels": dict(scraper.pod_labels)},
    }
    rule_of_its_own = {"from": [peer], "ports": [{"port": MERGED_PORT}]}
    return adding(policy.meta, ("spec", INGRESS, "-"), rule_of_its_own, "admit the scraper", safe=False)


def _dropped(evidence: Evidence, scraper: Workload, workload: Workload) -> bool:
    sides = evaluate(all_policies(evidence), end_of(evidence, scraper), end_of(evidence, workload), "TCP", MERGED_PORT, explain=False)
    return any(side.direction == INGRESS and side.allowed is False for side in sides)
