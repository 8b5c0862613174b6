"""A TLS server of a gateway has no certificate that can be used, so the handshake fails.

## Finds

Servers of Gateways and listeners of Gateway API whose Secret lies in another namespace than the gateway's pods look in, has no certificate
and key, or holds no PEM text. A Secret that is nowhere is only spoken of where a cluster was read, or where other certificates of the
namespace, or a Secret of nearly that name, are there: Secrets are seldom kept beside other manifests.

## Why it matters

Clients see a reset or a TLS error before any request is sent.

## Avoid

```yaml
kind: Gateway                        # its pods are in istio-ingress; the Secret is in shop
spec: {servers: [{tls: {mode: SIMPLE, credentialName: shop-tls}}]}
```

## Prefer

```yaml
kind: Secret
metadata: {name: shop-tls, namespace: istio-ingress}
```

## Exceptions

Secrets that another program copies. Certificates in manifests that are placeholders for the real ones: unless the Secret was read from a
cluster, what is no PEM text is only shown with `--pedantic`.

## Silent when

Secrets or the gateway's pods may be elsewhere (open world). A missing ReferenceGrant is MC815's.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.object_names import meant
from meshcheck.lint.proxies import pods_of_gateway
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.core import Secret, Workload
from meshcheck.model.trace import DENIED
from meshcheck.semantics.entry.certificates import certificate
from meshcheck.semantics.gateway.servers import Bound
from meshcheck.semantics.gateway_api.listeners import members_of

_CERTIFICATE = frozenset(["tls.crt", "tls.key", "cert", "key"])


@rule(
    "MC811",
    "gateway-credential",
    severity="error",
    needs="absence",
    kinds=("Secret", "Workload"),
    confidence="medium",
    audience="platform",
)
def check(evidence: Evidence) -> Iterator[Found]:
    """Servers without a certificate."""
    world, seen = evidence.world, set()
    for classic in evidence.of("IstioGateway"):
        for server in classic.servers:
            bound = Bound(classic, server)
            pods = pods_of_gateway(evidence, classic) if server.tls is not None and not bound.passes_through else ()
            for pod in pods[:1]:
                field = (*server.field, "tls", "credentialName")
                secret = _secret(evidence, pod, bound)
                if secret is not None and _CERTIFICATE & set(secret.malformed):
                    if secret.meta.ref not in seen:
                        seen.add(secret.meta.ref)
                        words = f"the handshake fails: the certificate or key in {secret.meta.ref} is no PEM text"
                        yield found(classic.meta, field, words, confidence=None if world.coverage is not None else "low")
                elif (said := _trouble(evidence, pod, bound, secret)) is not None:
                    yield found(classic.meta, field, said)
    for gateway in evidence.of("Gateway"):
        for member in members_of(world, gateway):
            refs = member.listener.certificates
            if refs and member.refused and "Secret" in member.refused and "ReferenceGrant" not in member.refused:
                hint = _hint(evidence, refs[0].namespace, refs[0].name)
                if hint is not None:
                    message = f"listener `{member.listener.name}` does not work: {member.refused}{hint}"
                    yield found(member.owner, (*refs[0].field, "name"), message)


def _name(pod: Workload, bound: Bound) -> tuple[str, str]:
    """(namespace, name) of the Secret that a server names; empty where it names none."""
    credentials = bound.server.tls.credentials if bound.server.tls is not None else ()
    text = credentials[0] if credentials else ""
    namespace, _, name = text.removeprefix("kubernetes-gateway://").removeprefix("kubernetes://").rpartition("/")
    return namespace or pod.namespace, name


def _secret(evidence: Evidence, pod: Workload, bound: Bound) -> Secret | None:
    return evidence.world.secret(*_name(pod, bound))


def _trouble(evidence: Evidence, pod: Workload, bound: Bound, secret: Secret | None) -> str | None:
    """Why a server of a pod has no certificate."""
    namespace, name = _name(pod, bound)
    if not name or (secret is None and pod.meta.origin is None):
        return None  # the namespace of pods that are not in the input is not known for certain
    lacking = certificate(evidence.world, pod, bound, "gateway")
    hint = _hint(evidence, namespace, name) if lacking is not None and lacking.verdict == DENIED else None
    return f"{lacking.summary}{hint}" if lacking is not None and hint is not None else None


def _hint(evidence: Evidence, namespace: str, name: str) -> str | None:
    """What there is instead of a Secret; None where nothing speaks for a mistake: it may be made outside the manifests."""
    if evidence.world.secret(namespace, name) is not None:
        return ""
    every = evidence.of("Secret")
    hint = meant(namespace, name, ((s.meta.namespace, s.meta.name) for s in every))
    kept_here = any(s.meta.namespace == namespace and "tls.crt" in s.keys for s in every)
    return hint if hint or kept_here or evidence.world.coverage is not None else None
