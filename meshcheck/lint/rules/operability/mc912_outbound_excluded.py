"""A call leaves a pod past its sidecar, without an identity, and the called workload refuses such calls.

## Finds

Ports in the annotation `traffic.sidecar.istio.io/excludeOutboundPorts` of a pod that is told (by environment or arguments) to call a
Service on that port, where mTLS or policies of the Service's pods refuse every such call.

## Why it matters

The caller has a sidecar and an account that a policy admits, and still gets a reset or 403: the call goes out in plaintext, as from nobody.

## Avoid

```yaml
annotations: {traffic.sidecar.istio.io/excludeOutboundPorts: "5432"}
env: [{name: DATABASE, value: "postgres://db:5432/shop"}]        # db takes mTLS only
```

## Prefer

```yaml
annotations: {}
```

## Exceptions

None: the call cannot succeed.

## Silent when

No manifest says that the call is made; something on the way is not known.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.known_calls import known_calls
from meshcheck.lint.proxies import servers
from meshcheck.lint.refusals import refusal
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.core import Workload
from meshcheck.model.objects import Path
from meshcheck.semantics.world.sidecars import sidecar_of

_EXCLUDED = "traffic.sidecar.istio.io/excludeOutboundPorts"


@rule("MC912", "outbound-excluded", severity="warning", needs="documents")
def check(evidence: Evidence) -> Iterator[Found]:
    """Calls past the sidecar that are refused for it."""
    for caller in servers(evidence):
        excluded = {item.strip() for item in caller.pod_annotations.get(_EXCLUDED, "").split(",")} - {""}
        for call in known_calls(evidence, caller) if excluded and sidecar_of(evidence.world, caller).present else ():
            stopped = refusal(evidence, caller, call.service, call.port) if str(call.port.number) in excluded else None
            if stopped is not None and stopped.station.name in ("mtls", "authorization"):
                name = f"{call.service.namespace}/{call.service.name}"
                message = f"calls to {name}:{call.port.number} leave past the sidecar, without identity, and {stopped.words} refuses them"
                yield found(caller.meta, (*_annotations(caller), _EXCLUDED), message, ("told here", caller.meta, call.field))


def _annotations(workload: Workload) -> Path:
    if workload.kind == "Pod":
        return ("metadata", "annotations")
    template: Path = ("spec", "jobTemplate", "spec", "template") if workload.kind == "CronJob" else ("spec", "template")
    return (*template, "metadata", "annotations")
