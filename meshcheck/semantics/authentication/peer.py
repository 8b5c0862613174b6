"""PeerAuthentication: the mTLS mode of a port.

Source: istio/istio:pilot/pkg/security/authn/policy_applier.go:ComposePeerAuthentication,GetMutualTLSModeForPort.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from meshcheck.model.istio_security import PeerAuthentication
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.attachment import selects


class Mode(NamedTuple):
    """`mode` is STRICT, PERMISSIVE or DISABLE; `policy` set it, None when it is Istio's default; `field` is where."""

    mode: str
    policy: PeerAuthentication | None
    field: tuple[str | int, ...] = ("spec", "mtls", "mode")


def age(policy: PeerAuthentication) -> tuple[str, str, str]:
    """Oldest first; without a time stamp by name."""
    return policy.meta.created or "9999", policy.meta.name, policy.meta.namespace


def mode_of(policies: Iterable[PeerAuthentication], namespace: str, labels: Mapping[str, str], port: int, root_namespace: str) -> Mode:
    """The mode of one workload port: mesh, namespace, workload, port; the more specific wins, UNSET inherits."""
    mesh: PeerAuthentication | None = None
    own: PeerAuthentication | None = None
    workload: PeerAuthentication | None = None
    for policy in sorted(policies, key=age):
        where = policy.meta.namespace
        if policy.selector:
            if where == namespace and where != root_namespace and workload is None and selects(policy.selector, labels):
                workload = policy
        elif where == root_namespace:
            mesh = mesh or policy
        if not policy.selector and where == namespace and where != root_namespace:
            own = own or policy
    result = Mode("PERMISSIVE", None)
    for found in (mesh, own, workload):
        if found is not None and found.mode != "UNSET":
            result = Mode(found.mode, found)
    if workload is not None and workload.ports.get(port, "UNSET") != "UNSET":
        result = Mode(workload.ports[port], workload, ("spec", "portLevelMtls", str(port), "mode"))
    return result


def service_mode(policies: Iterable[PeerAuthentication], namespace: str, root_namespace: str) -> Mode:
    """The mode by which a caller chooses TLS for a service: it looks at the namespace and the mesh, never at workloads."""
    return mode_of((p for p in policies if not p.selector), namespace, {}, 0, root_namespace)
