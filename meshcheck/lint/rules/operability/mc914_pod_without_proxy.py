"""A running pod has no sidecar, although its namespace or labels ask for one.

## Finds

Running pods as a cluster has them (with a `uid`) without the container `istio-proxy`, where the labels of the namespace or of the pod
ask for injection.

## Why it matters

The pod is older than the label, or the webhook was down when it was made. No policy is enforced at it, and its calls carry no identity:
callers and callees get resets and 403 that no manifest explains.

## Avoid

```yaml
kind: Namespace                # labelled after its pods were made
metadata: {labels: {istio-injection: enabled}}
```

## Prefer

```sh
kubectl rollout restart deployment -n shop
```

## Exceptions

Finished pods, and pods in the host's network, are left out.

## Silent when

The input holds manifests only, and no pods of a cluster.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.core import Workload
from meshcheck.model.record import replace
from meshcheck.semantics.world.sidecars import sidecar_of


@rule("MC914", "pod-without-proxy", severity="warning", needs="documents", audience="platform")
def check(evidence: Evidence) -> Iterator[Found]:
    """Pods that missed the injection."""
    world = evidence.world
    for pod in evidence.world.workloads:
        if pod.kind != "Pod" or pod.phase != "Running" or "istio-proxy" in pod.containers:
            continue
        if not evidence.raw(pod.meta).get("metadata", {}).get("uid"):
            continue  # written by hand: what injection adds is not in it
        side = sidecar_of(world, _as_written(evidence, pod))
        if side.present and side.why != "stated with --sidecars":
            message = f"runs without a sidecar, although {side.why}: policies are not enforced at it until it is made anew"
            yield found(pod.meta, ("metadata", "name"), message)


def _as_written(evidence: Evidence, pod: Workload) -> Workload:
    """A controller with this pod as its template, and without pods: labels decide then what it gets, not the containers that run."""
    return evidence.once(("as written", id(pod)), lambda: replace(pod, kind="ReplicaSet"))
