"""Prometheus is told to scrape a port that it cannot reach.

## Finds

Pods with the annotations `prometheus.io/scrape: "true"` and `prometheus.io/port`, at which every Prometheus of the input is refused
whatever it asks for: by a NetworkPolicy, by mTLS, or by AuthorizationPolicies.

## Why it matters

Nothing breaks but the monitoring: metrics stop, and alerts that need them never fire.

## Avoid

```yaml
kind: PeerAuthentication       # and a Prometheus without a sidecar
spec: {mtls: {mode: STRICT}}
---
annotations: {prometheus.io/scrape: "true", prometheus.io/port: "9102", prometheus.istio.io/merge-metrics: "false"}
```

## Prefer

```yaml
annotations: {prometheus.io/scrape: "true", prometheus.io/port: "9102"}     # the sidecar's agent hands the metrics on, at port 15020
```

## Exceptions

Scraping by something that is not recognised as a Prometheus, such as an agent of a vendor.
A Prometheus that brings certificates of the mesh itself (its sidecar captures nothing that it sends) is left out.

## Silent when

No Prometheus is in the input (by the image `prometheus` of a container); one of them may reach the port; the pod has a sidecar that hands
the metrics on, for then port 15020 is scraped, which no policy of the mesh guards.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.pod_fields import pod_path
from meshcheck.lint.proxies import listed, servers
from meshcheck.lint.refusals import Refusal, pod_refusal
from meshcheck.lint.rule import Found, found, rule
from meshcheck.lint.scrapers import hands_on_metrics, scrapers_of
from meshcheck.semantics.world.sidecars import sidecar_of

_CAPTURED = "traffic.sidecar.istio.io/includeOutboundIPRanges"
_KINDS = ("Workload", "NetworkPolicy", "PeerAuthentication", "AuthorizationPolicy")


@rule("MC308", "scrape-blocked", severity="warning", needs="absence", confidence="medium", kinds=_KINDS, audience="platform")
def check(evidence: Evidence) -> Iterator[Found]:
    """Ports with metrics that nobody can read."""
    scrapers = scrapers_of(evidence)
    if any(w.pod_annotations.get(_CAPTURED) == "" for w in scrapers):
        return
    for workload in servers(evidence) if scrapers else ():
        notes = workload.pod_annotations
        port = notes.get("prometheus.io/port", "")
        if notes.get("prometheus.io/scrape") != "true" or not (port.isascii() and port.isdigit()) or workload in scrapers:
            continue
        if sidecar_of(evidence.world, workload).present and hands_on_metrics(workload):
            continue
        ends = [pod_refusal(evidence, scraper, workload, int(port)) for scraper in scrapers]
        stopped: list[Refusal] = [end for end in ends if end is not None]
        if len(stopped) == len(ends):
            decider = stopped[0].station.decider
            related = [("this stops it", decider.meta, decider.field)] if decider is not None else []
            message = f"{listed(scrapers)} cannot scrape port {port}: {stopped[0].words} stops it"
            yield found(workload.meta, (*pod_path(workload), "metadata", "annotations", "prometheus.io/port"), message, *related)
