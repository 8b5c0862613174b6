"""A DestinationRule takes calls back to plaintext, without anybody being told.

## Finds

DestinationRules with TLS mode DISABLE for workloads that have a sidecar and take plaintext as well as mTLS; and, where automatic mTLS is
off, rules without `tls` that stand before a more general one with ISTIO_MUTUAL.

## Why it matters

The calls work, so nobody notices. They travel unencrypted and carry no identity: rules with `principals` or `namespaces` do not match
them, and they fail on the day the server becomes STRICT.

## Avoid

```yaml
kind: DestinationRule
spec: {host: cart, trafficPolicy: {tls: {mode: DISABLE}}}
```

## Prefer

```yaml
kind: DestinationRule
spec: {host: cart, trafficPolicy: {connectionPool: {tcp: {maxConnections: 100}}}}   # no `tls`: automatic mTLS
```

## Exceptions

A port whose protocol does not survive the sidecar; exclude it from capture instead.

## Silent when

The server refuses plaintext (MC409), has no sidecar, or has mode DISABLE itself.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.client_tls import Leg, legs, without_tls
from meshcheck.lint.evidence import Evidence
from meshcheck.lint.proxies import listed
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.istio_networking import DestinationRule
from meshcheck.model.objects import Meta, Path
from meshcheck.semantics.routing.selection import full_name, host_covers
from meshcheck.semantics.tracing.server import peer_mode


@rule("MC411", "destination-rule-overrides-mtls", severity="warning", needs="documents", audience="security")
def check(evidence: Evidence) -> Iterator[Found]:
    """Rules that drop mTLS."""
    plain: dict[tuple[Meta, Path], list[Leg]] = {}
    for leg in legs(evidence):
        if leg.kind != "plaintext" or not leg.sidecar or leg.refused is not None:
            continue
        if peer_mode(evidence.world, leg.server, leg.number).mode != "DISABLE":
            plain.setdefault((leg.rule.meta, leg.field), []).append(leg)
    for (meta, field), found_legs in plain.items():
        ports = listed(f"{leg.server}:{leg.number}" for leg in found_legs)
        if field:
            message = f"calls go to {ports} in plaintext and without identity, although its sidecar takes mTLS"
            yield found(meta, field, message, fix=without_tls(evidence, found_legs[0].rule, field))
        elif (general := _general(evidence, found_legs[0])) is not None:
            message = (
                f"without `tls` calls go to {ports} in plaintext: `{general.meta.name}` (ISTIO_MUTUAL) does not count beside this rule"
            )
            yield found(meta, ("spec", "host"), message, ("the more general rule", general.meta, ("spec", "trafficPolicy", "tls")))


def _general(evidence: Evidence, leg: Leg) -> DestinationRule | None:
    """A rule with ISTIO_MUTUAL that would be there for the host, were it not for a more specific one."""
    near = (leg.rule.meta.namespace, leg.service.namespace, evidence.world.mesh.root_namespace)
    rules: tuple[DestinationRule, ...] = evidence.of("DestinationRule")
    mutual = (r for r in rules if r is not leg.rule and r.policy is not None and r.policy.tls == "ISTIO_MUTUAL")
    return next((r for r in mutual if r.meta.namespace in near and _covers(r, leg.service.host)), None)


def _covers(rule: DestinationRule, host: str) -> bool:
    return host_covers(full_name(rule.host, rule.meta.namespace), host)
