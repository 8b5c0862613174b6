"""Who collects metrics, and which pods hand them on through their sidecar."""

from __future__ import annotations

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.pod_fields import containers
from meshcheck.lint.proxies import servers
from meshcheck.model.core import Workload

MERGED_PORT = 15020
"""Where the sidecar's agent hands on the application's metrics and its own. Source: istio/istio:pkg/kube/inject/webhook.go."""
_MERGED = "prometheus.istio.io/merge-metrics"


def scrapers_of(evidence: Evidence) -> tuple[Workload, ...]:
    """Workloads that run Prometheus itself: the last part of a container's image is `prometheus`."""
    return evidence.once("scrapers", lambda: tuple(w for w in servers(evidence) if _is_prometheus(w)))


def _is_prometheus(workload: Workload) -> bool:
    images = [str(container.get("image")) for _, container in containers(workload)]
    return any(image.rpartition("/")[2].partition("@")[0].partition(":")[0] == "prometheus" for image in images)


def hands_on_metrics(workload: Workload) -> bool:
    """Whether the sidecar of a pod that has one hands on its metrics, unless mesh config says otherwise."""
    return workload.pod_annotations.get(_MERGED) != "false"
