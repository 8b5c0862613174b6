"""The keys of an issuer are behind a Service of the cluster that istiod cannot reach.

## Finds

`jwksUri` with the name of a Service that does not exist, has not the port, has no pods, or whose pods take mTLS only.

## Why it matters

istiod fetches the keys, in plaintext or TLS of its own and without an identity of the mesh. While it cannot, every token is refused with
401 `Jwt verification fails`, which reads like a bad token.

## Avoid

```yaml
jwksUri: http://idp.auth.svc.cluster.local:8080/keys      # namespace auth has mTLS mode STRICT
```

## Prefer

```yaml
kind: PeerAuthentication
metadata: {namespace: auth}
spec: {selector: {matchLabels: {app: idp}}, mtls: {mode: STRICT}, portLevelMtls: {8080: {mode: PERMISSIVE}}}
```

## Exceptions

istiod lets the proxies fetch the keys (`PILOT_JWT_ENABLE_REMOTE_JWKS`): they have an identity.

## Silent when

The host is no Service of the cluster; the world is open.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.objects import Meta, Path
from meshcheck.model.question import Caller, Question, Target
from meshcheck.model.trace import DENIED
from meshcheck.semantics.world.hosts import look_up

_KINDS = ("Workload", "Service", "PeerAuthentication", "ServiceEntry")


@rule("MC508", "jwks-unreachable", severity="warning", needs="absence", confidence="low", kinds=_KINDS, audience="platform")
def check(evidence: Evidence) -> Iterator[Found]:
    """Keys that cannot be fetched."""
    for policy in evidence.of("RequestAuthentication"):
        for one in policy.rules:
            end = _unreachable(evidence, one.jwks_uri or "")
            if end is not None:
                why, related = end
                message = f"istiod cannot fetch the keys of `{one.issuer}`: {why}; every token of it gets 401"
                yield found(policy.meta, (*one.path, "jwksUri"), message, *related)


def _unreachable(evidence: Evidence, uri: str) -> tuple[str, list[tuple[str, Meta, Path]]] | None:
    """Why a URI in the cluster cannot be fetched without an identity, and what says so; None where it may be."""
    try:
        parts = urlsplit(uri)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https"):
        return None
    host, root = parts.hostname or "", evidence.world.mesh.root_namespace
    named = look_up(evidence.world, host, root)
    if named.missing and named.entry is None and ".svc" in host:
        return f"there is no Service `{host}`", []
    if named.service is None:
        return None
    asked = Question(Caller(namespace=root, plaintext=True), Target(host=host, port=port), protocol=parts.scheme, headers={})
    answer = evidence.trace(asked)
    if answer.verdict != DENIED or answer.decided_at is None or answer.decided_at[1].name not in ("mtls", "service"):
        return None
    station = answer.decided_at[1]
    related = [("this refuses it", station.decider.meta, station.decider.field)] if station.decider is not None else []
    return f"{named.service.namespace}/{named.service.name} refuses a call without an identity ({station.summary})", related
