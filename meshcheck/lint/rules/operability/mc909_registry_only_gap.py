"""A workload is told to call a host outside that the mesh does not know, and calls to unknown hosts are blocked.

## Finds

URLs in the environment or arguments of containers with a host outside the cluster for which there is no ServiceEntry, where the sidecar's
outbound traffic policy is REGISTRY_ONLY.

## Why it matters

The call ends at the caller's own sidecar: 502 for HTTP, a reset for TLS. The application reports an error of the network, and nothing in
the cluster's policies mentions the host.

## Avoid

```yaml
meshConfig: {outboundTrafficPolicy: {mode: REGISTRY_ONLY}}
---
env: [{name: PAYMENTS, value: "https://api.payments.example.com"}]     # and no ServiceEntry
```

## Prefer

```yaml
kind: ServiceEntry
spec:
  hosts: [api.payments.example.com]
  location: MESH_EXTERNAL
  resolution: DNS
  ports: [{number: 443, name: tls, protocol: TLS}]
```

## Exceptions

URLs that are never called from the pod: where browsers are sent to, and names that only look like addresses (issuers, schemas).

## Silent when

Mesh config was not read and no Sidecar says REGISTRY_ONLY; ServiceEntries or Sidecars may be elsewhere (open world); the host is one that a
gateway or ingress of the input serves; the name of the variable tells of an issuer, a redirect or a public address; the workload uses a
proxy; what the call would meet is not known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.known_calls import addresses_told
from meshcheck.lint.pod_fields import containers, entries, part
from meshcheck.lint.proxies import servers
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.core import Workload
from meshcheck.model.objects import Path
from meshcheck.model.pattern import pattern
from meshcheck.model.question import Caller, Question, Target
from meshcheck.model.trace import DENIED
from meshcheck.semantics.outbound.client import STATION
from meshcheck.semantics.outbound.scope import scope_of
from meshcheck.semantics.routing.selection import host_covers
from meshcheck.semantics.world.hosts import look_up
from meshcheck.semantics.world.sidecars import sidecar_of

_PROTOCOLS = {"http": "http", "https": "https", "grpc": "grpc", "wss": "https", "ws": "http"}
_NOT_CALLED = pattern(
    r"issuer|audience|redirect|callback|public|external|origin|schema|namespace|domain|docs|help|link|proxy", re.IGNORECASE
)
_PROXY = frozenset(["http_proxy", "https_proxy", "all_proxy"])


@rule("MC909", "registry-only-gap", severity="warning", needs="absence", confidence="medium", kinds=("ServiceEntry", "Service", "Sidecar"))
def check(evidence: Evidence) -> Iterator[Found]:
    """Each host once for each workload."""
    for caller in servers(evidence):
        if not sidecar_of(evidence.world, caller).present or scope_of(evidence.world, caller).outbound_mode != "REGISTRY_ONLY":
            continue
        seen = set()
        for field, scheme, host, port in addresses_told(caller) if not _uses_proxy(caller) else ():
            if scheme in _PROTOCOLS and (host, port) not in seen and _is_called(evidence, caller, field, host):
                seen.add((host, port))
                target = Target(host=host, port=port)
                source = Caller(namespace=caller.namespace, workload=f"{caller.kind}/{caller.name}")
                end = evidence.trace(Question(source, target, _PROTOCOLS[scheme], headers={})).decided_at
                if end is not None and end[1].verdict == DENIED and end[1].name == STATION:
                    yield found(
                        caller.meta, field, f"calls to {host}:{port} end at the sidecar: {end[1].summary}; declare it in a ServiceEntry"
                    )


def _is_called(evidence: Evidence, caller: Workload, field: Path, host: str) -> bool:
    """Whether an address is one outside that the pod itself calls, as far as names tell."""
    named = look_up(evidence.world, host, caller.namespace)
    if (
        not named.external
        or named.entry is not None
        or named.address is not None
        or "." not in host
        or host.endswith((".local", ".internal"))
    ):
        return False
    if any(host_covers(declared, host) for declared in evidence.once("hosts served", lambda: _served(evidence))):
        return False
    return not _NOT_CALLED.search(_variable(caller, field))


def _variable(caller: Workload, field: Path) -> str:
    """The name of the variable at a place; the text itself for arguments."""
    name, index = (field[-3], field[-2]) if field[-1] == "value" else (field[-2], field[-1])
    container = next((c for n, c in containers(caller) if n in field), {})
    written = container.get(str(name))
    item = written[index] if isinstance(written, list) and isinstance(index, int) and index < len(written) else ""
    return str(item.get("name")) if isinstance(item, dict) else str(item).partition("=")[0]


def _served(evidence: Evidence) -> frozenset[str]:
    """Hosts of gateways and ingresses, but for those that cover everything."""
    hosts = [h for v in evidence.of("VirtualService") for h in v.hosts]
    hosts += [r.host for i in evidence.of("Ingress") for r in i.rules]
    for _, _, value in evidence.written("HTTPRoute", "GRPCRoute", "TLSRoute"):
        written = part(value, "spec").get("hostnames")
        hosts += [h for h in written if isinstance(h, str)] if isinstance(written, list) else []
    return frozenset(hosts) - {"*", ""}


def _uses_proxy(caller: Workload) -> bool:
    return any(str(item.get("name")).lower() in _PROXY for _, c in containers(caller) for _, item in entries(c.get("env")))
