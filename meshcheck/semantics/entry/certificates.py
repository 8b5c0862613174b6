"""Whether a TLS server has its certificate.

Source: istio/istio:pilot/pkg/xds/sds.go; pkg/model/credentials (names of Secrets).
"""

from __future__ import annotations

from meshcheck.model.core import Workload
from meshcheck.model.trace import DENIED, UNKNOWN, Mention, Station
from meshcheck.semantics.gateway.servers import Bound
from meshcheck.semantics.tracing import symptoms
from meshcheck.semantics.world.world import World


def certificate(world: World, workload: Workload, bound: Bound, enforcer: str) -> Station | None:
    """Whether the server has its certificate; a missing one breaks the handshake."""
    tls = bound.server.tls
    assert tls is not None
    for name in tls.credentials:
        mention = Mention(bound.gateway.meta, field=(*bound.server.field, "tls", "credentialName"))
        if name.startswith(("invalid://", "builtin://")):
            continue
        namespace, _, short = name.removeprefix("kubernetes-gateway://").removeprefix("kubernetes://").rpartition("/")
        namespace = namespace or workload.namespace
        secret = world.secret(namespace, short)
        if secret is None and not world.complete("Secret", namespace=namespace, name=short):
            fact = f"the Secret `{namespace}/{short}` with the certificate of the gateway: {world.unread_secret(namespace, short)}"
            return Station("tls", enforcer, UNKNOWN, f"certificate {name}", (mention,), missing=fact, workload=str(workload))
        keys = secret.keys if secret is not None else ()
        if not ({"tls.crt", "tls.key"} <= set(keys) or {"cert", "key"} <= set(keys)):
            what = f"has no tls.crt and tls.key (keys: {', '.join(keys) or 'none'})" if secret is not None else "does not exist"
            why = f"the handshake fails: Secret {namespace}/{short} with the certificate {what}"
            if namespace != bound.gateway.meta.namespace and secret is None:
                why += f" (it is looked for in the namespace of the gateway's pods, {namespace})"
            return Station("tls", enforcer, DENIED, why, (mention,), symptom=symptoms.RESET, decider=mention, workload=str(workload))
    return None
