"""A gateway or ingress controller without a proxy of the mesh sends plaintext to workloads that demand mTLS.

## Finds

Ways from outside through an ingress controller or gateway that is not Istio's and has no sidecar, to workloads whose mTLS mode is STRICT.

## Why it matters

The workload's sidecar resets each connection, and the controller answers 502 or 503. Nothing in the controller's log says mTLS.

## Avoid

```yaml
kind: PeerAuthentication       # of namespace shop, which an ingress-nginx without sidecar serves
spec: {mtls: {mode: STRICT}}
```

## Prefer

```yaml
# the controller's pods get a sidecar (which leaves inbound traffic alone), and the Ingress sends to the Service
traffic.sidecar.istio.io/includeInboundPorts: ""
nginx.ingress.kubernetes.io/service-upstream: "true"
```

## Exceptions

None.

## Silent when

PeerAuthentications or pods may be elsewhere (open world); it is not known whether the controller's pods have a sidecar.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.entrances import stopped_behind
from meshcheck.lint.evidence import Evidence
from meshcheck.lint.gateway_routes import gateways
from meshcheck.lint.rule import Found, found, rule
from meshcheck.semantics.world.sidecars import sidecar_of

_KINDS = ("PeerAuthentication", "Workload", "Service", "Namespace")


@rule("MC819", "foreign-ingress-to-strict", severity="error", needs="absence", kinds=_KINDS, audience="platform")
def check(evidence: Evidence) -> Iterator[Found]:
    """Routes that end at mTLS."""
    world = evidence.world
    meshed = {str(gateway) for gateway in gateways(evidence)}
    for way, source, station in stopped_behind(evidence, "mtls"):
        strict = station.decider is not None and station.decider.meta.ref.kind == "PeerAuthentication"
        pod = world.find_workload(*source.partition("/")[::2])
        if not strict or source in meshed or (pod is not None and sidecar_of(world, pod).present is not False):
            continue
        message = f"{source} sends plaintext to {station.workload or 'the backend'}, which takes mTLS only: each call gets 502 or 503"
        related = [("demands mTLS", station.decider.meta, station.decider.field)] if station.decider is not None else []
        yield found(way.owner, ("metadata", "name"), message, *related)
