"""An ALLOW policy names a caller whose calls something else stops, so the grant does nothing.

## Finds

Values of `principals`, `serviceAccounts` and `namespaces` of ALLOW rules that name workloads none of which reaches the workload that the
policy protects: a NetworkPolicy drops the calls, mTLS refuses them, the caller may not ask DNS, or it has no sidecar and so no identity.

## Why it matters

Each layer reads well alone. The author of the ALLOW rule sees it in force and gets a timeout or a reset, and looks for the mistake in the
one place where there is none.

## Avoid

```yaml
kind: AuthorizationPolicy      # of app=cart
spec:
  rules: [{from: [{source: {principals: ["cluster.local/ns/shop/sa/web"]}}]}]
---
kind: NetworkPolicy            # of app=cart, too
spec:
  ingress: [{from: [{podSelector: {matchLabels: {app: admin}}}]}]
```

## Prefer

```yaml
kind: NetworkPolicy
spec:
  ingress: [{from: [{podSelector: {matchLabels: {app: admin}}}, {podSelector: {matchLabels: {app: web}}}]}]
```

## Exceptions

A grant that is prepared before the caller gets its sidecar or its network policy.

## Silent when

Anything of the way is not known (open world, ambient); one of the callers that the value names gets through on one of the ports; the
workload has no Service. What an AuthorizationPolicy itself refuses is MC301's.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.callers import named_callers
from meshcheck.lint.evidence import Evidence
from meshcheck.lint.partial_calls import call_with
from meshcheck.lint.proxies import governed, is_plain, listed
from meshcheck.lint.refusals import Refusal, stopped
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.core import Service, ServicePort, Workload
from meshcheck.model.istio_security import AuthorizationPolicy, Field
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.authorization.policies import CompiledRule
from meshcheck.semantics.gateway.pods import is_gateway
from meshcheck.semantics.tracing.proxies import compiled
from meshcheck.semantics.tracing.server import target_number
from meshcheck.semantics.world.sidecars import sidecar_of

_KINDS = ("Workload", "Service", "NetworkPolicy", "PeerAuthentication", "DestinationRule", "ClusterNetworkPolicy")


class Blocked(NamedTuple):
    """A caller that does not get through. `why` is None where it has no identity."""

    caller: Workload
    why: Refusal | None


@rule("MC307", "caller-allowed-but-blocked-elsewhere", severity="warning", needs="absence", kinds=_KINDS)
def check(evidence: Evidence) -> Iterator[Found]:
    """Grants that end at another layer."""
    for policy in evidence.of("AuthorizationPolicy"):
        if policy.action == "ALLOW" and not policy.dry_run:
            protected = [w for w in governed(evidence, policy) if w.meta.origin and not is_gateway(w)]
            if protected:
                yield from _grants(evidence, policy, protected)


def _grants(evidence: Evidence, policy: AuthorizationPolicy, protected: list[Workload]) -> Iterator[Found]:
    for one in compiled(evidence.world, protected[0], True).allow:
        if one.policy is not policy:
            continue
        for group in one.sources:
            for test in group:
                if test.field.negated or test.attribute != "principal":
                    continue
                for number, value in enumerate(test.field.values):
                    item = _blocked(evidence, one, test.field, value, protected)
                    if item:
                        yield _finding(policy, (*test.field.path, number), item, protected)


def _blocked(evidence: Evidence, one: CompiledRule, field: Field, value: str, protected: list[Workload]) -> list[Blocked]:
    """All callers that a value names, if none of them reaches any of the protected workloads; else nothing."""
    out: dict[int, Blocked] = {}
    for server in protected:
        ports = _ports(evidence, one, server)
        for caller in named_callers(evidence, one.policy, field, value) if ports else ():
            if caller is server:
                continue
            side, plain = sidecar_of(evidence.world, caller), is_plain(evidence, caller)
            if not (side.present or plain):
                return []
            reason = _stopped(evidence, caller, ports)
            if reason is None and not plain:
                return []
            out.setdefault(id(caller), Blocked(caller, reason))
    return list(out.values())


def _stopped(evidence: Evidence, caller: Workload, ports: list[tuple[Service, ServicePort]]) -> Refusal | None:
    """What stops a caller at the first port; None where it gets to the policies of one of them."""
    first: Refusal | None = None
    for service, port in ports:
        found = stopped(evidence, caller, service, port)
        if found is None:
            return None
        first = first or found
    return first


def _ports(evidence: Evidence, one: CompiledRule, server: Workload) -> list[tuple[Service, ServicePort]]:
    """The TCP ports of a workload's Services that a rule may mean."""
    out = []
    for service in evidence.world.services_of(server):
        for port in service.ports:
            number = target_number(port, server)
            if port.protocol == "TCP" and number is not None and one.holds(call_with(destination_port=number)) is not False:
                out.append((service, port))
    return out


def _finding(policy: AuthorizationPolicy, field: tuple[str | int, ...], item: list[Blocked], protected: list[Workload]) -> Found:
    why = item[0].why
    names, target = listed(b.caller for b in item), listed(protected)
    if why is None:
        message = f"{names} may call {target} by this, but has no sidecar and so no identity: the rule never matches its calls"
        return found(policy.meta, field, message)
    message = f"{names} may call {target} by this, but does not get there: {why.words} stops it"
    decider = why.station.decider
    related = [("this stops it", decider.meta, decider.field)] if decider is not None else []
    return found(policy.meta, field, message, *related)
