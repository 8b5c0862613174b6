"""A container of the application runs as the proxy's user, so its traffic goes past the sidecar.

## Finds

Containers other than `istio-proxy` with `runAsUser: 1337` or `runAsGroup: 1337` (their own, or the pod's) in pods with a sidecar.

## Why it matters

The sidecar's capture leaves out what user and group 1337 send, for that is the proxy itself. Such a container calls in plaintext and
without identity; servers with mode STRICT reset its calls, and policies do not know it.

## Avoid

```yaml
securityContext: {runAsUser: 1337}
```

## Prefer

```yaml
securityContext: {runAsUser: 1000}
```

## Exceptions

Containers that are meant to go past the sidecar, such as an init container that needs the network before the proxy is there.

## Silent when

The pod is not known to have a sidecar.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.pod_fields import containers, containers_path, part
from meshcheck.lint.proxies import proxies
from meshcheck.lint.rule import Found, found, rule
from meshcheck.semantics.gateway.pods import is_gateway

_PROXY = 1337


@rule("MC417", "proxy-uid", severity="error", needs="documents")
def check(evidence: Evidence) -> Iterator[Found]:
    """Containers that the sidecar does not see."""
    for workload in proxies(evidence):
        if is_gateway(workload) or workload.kind == "WorkloadEntry":
            continue
        at = containers_path(workload)
        whole = part(workload.pod, "securityContext")
        for n, container in containers(workload):
            own = part(container, "securityContext")
            for name in ("runAsUser", "runAsGroup") if container.get("name") != "istio-proxy" else ():
                if own.get(name, whole.get(name)) == _PROXY:
                    field = (*at, n, "securityContext", name) if name in own else (*at[:-1], "securityContext", name)
                    message = f"container `{container.get('name')}` runs as the proxy ({name} 1337): what it sends goes past the sidecar"
                    yield found(workload.meta, field, message)
                    break
