"""A workload takes mTLS only, and one of its callers has no sidecar.

## Finds

Workloads without a sidecar that are told the address of a Service (in an environment variable or an argument) all of whose pods take mTLS
only on that port.

## Why it matters

The caller sends plaintext, and the server's sidecar closes the connection before any policy is asked: the caller sees a reset or an empty
reply, never a 403.

## Avoid

```yaml
kind: Deployment               # namespace without sidecars
env: [{name: CART_URL, value: "http://cart.shop:80"}]
---
kind: PeerAuthentication       # namespace shop
spec: {mtls: {mode: STRICT}}
```

## Prefer

```yaml
kind: PeerAuthentication
spec:
  selector: {matchLabels: {app: cart}}
  mtls: {mode: PERMISSIVE}     # until the caller has a sidecar
```

## Exceptions

An address that the workload is told and never calls.

## Silent when

Whether the caller has a sidecar is not known; nothing in the manifests says that the call is made. Callers that an ALLOW rule names are
MC307's.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.known_calls import known_calls
from meshcheck.lint.proxies import is_plain, servers
from meshcheck.lint.refusals import refusal
from meshcheck.lint.rule import Found, found, rule


@rule(
    "MC402",
    "strict-with-plaintext-caller",
    severity="error",
    needs="absence",
    confidence="medium",
    kinds=("Workload", "Service", "PeerAuthentication", "Namespace"),
)
def check(evidence: Evidence) -> Iterator[Found]:
    """Plaintext callers of workloads that take none."""
    if not evidence.of("PeerAuthentication"):
        return
    for caller in servers(evidence):
        if not is_plain(evidence, caller):
            continue
        for call in known_calls(evidence, caller):
            end = refusal(evidence, caller, call.service, call.port)
            if end is not None and end.station.name == "mtls" and end.station.decider is not None:
                where = f"{call.service.namespace}/{call.service.name}:{call.port.number}"
                mode = end.station.decider
                message = f"{caller} has no sidecar, and {where} takes mTLS only ({mode.meta.ref}): the connection is reset"
                yield found(caller.meta, call.field, message, ("mTLS is demanded here", mode.meta, mode.field))
