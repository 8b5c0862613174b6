"""A rule asks for an identity where no caller can have one: the port takes plaintext only.

## Finds

`principals`, `namespaces`, `serviceAccounts`, `trustDomains`, their not-twins, and conditions `source.*` of ALLOW and DENY rules, on
workloads whose ports that the rule can mean all have mTLS mode DISABLE; or where automatic mTLS is off and no DestinationRule makes callers
use ISTIO_MUTUAL.

## Why it matters

The identity of a caller is in its certificate. Without mTLS there is none: an ALLOW rule never matches (403 for everybody), a DENY rule
never blocks, and a not-field matches every call.

## Avoid

```yaml
kind: PeerAuthentication
spec: {selector: {matchLabels: {app: cart}}, mtls: {mode: DISABLE}}
---
kind: AuthorizationPolicy
spec:
  selector: {matchLabels: {app: cart}}
  rules: [{from: [{source: {namespaces: [shop]}}]}]
```

## Prefer

```yaml
kind: PeerAuthentication
spec: {selector: {matchLabels: {app: cart}}, mtls: {mode: STRICT}}
```

## Exceptions

None. Mode PERMISSIVE is fine here: callers with a sidecar have an identity (that others escape is MC232's and MC233's).

## Silent when

One of the ports that the rule can mean takes mTLS. Gateways have no PeerAuthentication.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.partial_calls import call_with
from meshcheck.lint.proxies import governed, listed, workload_ports
from meshcheck.lint.rule import Found, found, rule
from meshcheck.lint.tokens import enforced
from meshcheck.model.core import Workload
from meshcheck.model.istio_security import PeerAuthentication
from meshcheck.semantics.authorization.policies import CompiledRule
from meshcheck.semantics.gateway.pods import is_gateway
from meshcheck.semantics.tracing.proxies import compiled
from meshcheck.semantics.tracing.server import peer_mode


@rule("MC401", "identity-needs-mtls", severity="error", needs="documents")
def check(evidence: Evidence) -> Iterator[Found]:
    """Identities that nobody can have."""
    if not (evidence.of("PeerAuthentication") or _no_client_speaks_mtls(evidence)):
        return
    for policy in evidence.of("AuthorizationPolicy"):
        if policy.action not in ("ALLOW", "DENY") or policy.dry_run:
            continue
        protected = [w for w in governed(evidence, policy) if not is_gateway(w)]
        if not protected:
            continue
        for one in enforced(compiled(evidence.world, protected[0], True)):
            if one.policy is not policy:
                continue
            bare = [w for w in protected if _without_identity(evidence, one, w)]
            fields = [t.field for tests in (*one.sources, one.conditions) for t in tests if t.attribute == "principal"] if bare else []
            for field in fields:
                causes = _causes(evidence, bare)
                why = f"{listed(causes)} says DISABLE" if causes else "automatic mTLS is off, and no DestinationRule says ISTIO_MUTUAL"
                effect = "matches every call" if field.negated else "never matches"
                message = f"no caller of {listed(bare)} has an identity ({why}): this {effect}"
                yield found(policy.meta, field.path, message, *(("this switches mTLS off", p.meta, ("spec",)) for p in causes.values()))


def _no_client_speaks_mtls(evidence: Evidence) -> bool:
    """Whether nothing makes callers use mTLS."""

    def find() -> bool:
        policies = (p for r in evidence.of("DestinationRule") for p in (r.policy, *(s.policy for s in r.subsets)) if p is not None)
        return not evidence.world.mesh.auto_mtls and not any("ISTIO_MUTUAL" in (p.tls, *p.ports.values()) for p in policies)

    return evidence.once("no client speaks mTLS", find)


def _without_identity(evidence: Evidence, one: CompiledRule, server: Workload) -> bool:
    """Whether all ports of a workload that a rule can mean are without mTLS; without known ports, the workload as a whole."""
    if _no_client_speaks_mtls(evidence):
        return True
    known = workload_ports(evidence, server) or (0,)
    ports = [port for port in known if port == 0 or one.holds(call_with(destination_port=port)) is not False]
    return bool(ports) and all(peer_mode(evidence.world, server, port).mode == "DISABLE" for port in ports)


def _causes(evidence: Evidence, bare: list[Workload]) -> dict[str, PeerAuthentication]:
    modes = [peer_mode(evidence.world, w, port) for w in bare for port in (workload_ports(evidence, w) or (0,))]
    return {str(m.policy.meta.ref): m.policy for m in modes if m.mode == "DISABLE" and m.policy is not None}
