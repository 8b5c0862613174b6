"""The kubelet's probes go to a port that takes mTLS only, and the sidecar does not help them.

## Finds

Pods with a sidecar and `sidecar.istio.io/rewriteAppHTTPProbers: "false"` that have HTTP, TCP or gRPC probes on a port with mode STRICT.

## Why it matters

The kubelet has no identity of the mesh. Without the rewriting its probes are plaintext calls to the port, which the sidecar resets: the pod
never becomes ready, or is restarted for ever.

## Avoid

```yaml
annotations: {sidecar.istio.io/rewriteAppHTTPProbers: "false"}     # in a namespace with mode STRICT
```

## Prefer

```yaml
annotations: {}                                                    # the rewriting is on by default
```

## Exceptions

None: a TCP probe seems to work, since the sidecar takes the connection, but says nothing about the application.

## Silent when

The pod is not known to have a sidecar; the port is excluded from it; the probe is a command.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.pod_fields import containers, containers_path, part
from meshcheck.lint.proxies import proxies
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.core import Workload
from meshcheck.model.objects import Path
from meshcheck.semantics.gateway.pods import is_gateway
from meshcheck.semantics.tracing.server import bypasses_sidecar, peer_mode

_PROBES = ("startupProbe", "livenessProbe", "readinessProbe")
_REWRITE = "sidecar.istio.io/rewriteAppHTTPProbers"


@rule("MC412", "probe-rewrite-off", severity="error", needs="documents")
def check(evidence: Evidence) -> Iterator[Found]:
    """Probes that end at the sidecar."""
    for workload in proxies(evidence):
        if workload.pod_annotations.get(_REWRITE) != "false" or is_gateway(workload):
            continue
        for field, kind, port in _probes(workload):
            mode = peer_mode(evidence.world, workload, port)
            if mode.mode == "STRICT" and mode.policy is not None and not bypasses_sidecar(workload, port):
                end = "it sees the sidecar only" if kind == "tcpSocket" else "it fails"
                message = f"the kubelet's probe of port {port} comes in plaintext, and {mode.policy.meta.ref} takes mTLS only: {end}"
                related = ("mTLS is demanded here", mode.policy.meta, mode.field)
                yield found(workload.meta, field, message, related, severity="warning" if kind == "tcpSocket" else None)


def _probes(workload: Workload) -> Iterator[tuple[Path, str, int]]:
    """(field, kind, port) of the probes that the kubelet makes over the network."""
    for n, container in containers(workload):
        for name in _PROBES:
            probe = part(container, name)
            for kind in ("httpGet", "tcpSocket", "grpc"):
                port = part(probe, kind).get("port")
                number = next((p.number for p in workload.ports if p.name == port), port)
                if isinstance(number, int):
                    yield (*containers_path(workload), n, name, kind, "port"), kind, number
