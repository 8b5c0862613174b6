"""PeerAuthentication as ztunnel has it: a DENY for callers without an identity, of the whole workload or of some of its ports.

It is not what a sidecar makes of the same objects. istiod writes one policy for all STRICT workloads (`istio_converted_static_strict`), and
one for each PeerAuthentication with ports (`converted_peer_authentication_NAME`); which of them a workload is told to apply is decided
elsewhere, and where the two disagree the workload is told of a policy that does not exist, which ztunnel leaves out.

Source: istio/istio:pilot/pkg/serviceregistry/ambient/authorization.go:convertedSelectorPeerAuthentications, convertPeerAuthentication;
workloads.go:fetchPeerAuthentications; policies.go:PolicyCollections.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from meshcheck.model.istio_security import PeerAuthentication
from meshcheck.model.objects import Path
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.attachment import selects
from meshcheck.semantics.authentication.peer import age

STATIC_STRICT = "istio_converted_static_strict"
_MODE: Path = ("spec", "mtls", "mode")
_RELAXED = ("PERMISSIVE", "DISABLE")


class Plaintext(NamedTuple):
    """What becomes of a call without an identity. `policy` and `field` decide; `name` is ztunnel's for the policy that refuses.

    `mode` is the one that counts for the port; `why` says more where it is not the one that is written.
    """

    refused: bool
    mode: str
    policy: PeerAuthentication | None = None
    field: Path = _MODE
    name: str = ""
    why: str = ""


class _Effective(NamedTuple):
    """The three that count for a workload: of the mesh, its namespace, and itself."""

    mesh: PeerAuthentication | None
    namespace: PeerAuthentication | None
    workload: PeerAuthentication | None


def plaintext(policies: Iterable[PeerAuthentication], namespace: str, labels: Mapping[str, str], port: int, root: str) -> Plaintext:
    """What becomes of plaintext at a port of a workload. `policies` are those of its namespace and of the root namespace."""
    every = sorted(policies, key=age)
    found = _effective(every, namespace, labels, root)
    by: PeerAuthentication | None = None
    for policy in found:
        if policy is not None and policy.mode != "UNSET":
            by = policy
    strict = by is not None and by.mode == "STRICT"
    own = found.workload
    if own is not None and own.ports and _has_its_own(own, strict):
        return _by_ports(own, found, every, namespace, root, port, strict)
    mode = by.mode if by is not None else "PERMISSIVE"
    written = own.ports.get(port, "UNSET") if own is not None else "UNSET"
    why = f"its portLevelMtls {written} for port {port} is not taken up" if own is not None and written in _RELAXED and strict else ""
    return Plaintext(strict, mode, by, name=f"{root}/{STATIC_STRICT}" if strict else "", why=why)


def _effective(every: list[PeerAuthentication], namespace: str, labels: Mapping[str, str], root: str) -> _Effective:
    mesh: PeerAuthentication | None = None
    own: PeerAuthentication | None = None
    workload: PeerAuthentication | None = None
    for policy in every:
        where = policy.meta.namespace
        if where == root and policy.selector is not None and namespace != root:
            continue
        if not policy.selector:
            mesh = mesh or (policy if where == root else None)
            own = own or (policy if where != root and where == namespace else None)
        elif where != root and where == namespace and selects(policy.selector, labels):
            workload = workload or policy
    return _Effective(mesh, own, workload)


def _has_its_own(own: PeerAuthentication, strict: bool) -> bool:
    """Whether a workload is told to apply the policy made of its own PeerAuthentication's ports."""
    modes = set(own.ports.values())
    if own.mode == "STRICT":
        return bool(modes & set(_RELAXED))
    if own.mode in _RELAXED:
        return "STRICT" in modes
    return ("PERMISSIVE" if strict else "STRICT") in modes


def _by_ports(
    own: PeerAuthentication, found: _Effective, every: list[PeerAuthentication], namespace: str, root: str, port: int, strict: bool
) -> Plaintext:
    """A workload that is told to apply the policy made of its ports, in place of the one for all STRICT workloads."""
    name = f"{own.meta.namespace}/converted_peer_authentication_{own.meta.name}"
    written = own.ports.get(port, "UNSET")
    field: Path = ("spec", "portLevelMtls", str(port), "mode") if written != "UNSET" else _MODE
    made = _made(own, every, namespace, root)
    if made is None:
        why = f"istiod tells ztunnel of a policy {name} that it does not make, so that nothing refuses plaintext"
        return Plaintext(False, "PERMISSIVE", own, field, why=why if written == "STRICT" or (strict and written == "UNSET") else "")
    refused = port in made.strict or (bool(made.open) and port not in made.open)
    mode = "STRICT" if refused else written if written in _RELAXED else "PERMISSIVE"
    by: PeerAuthentication | None = own
    if written == "UNSET" and own.mode == "UNSET":
        by = found.namespace if found.namespace is not None and found.namespace.mode != "UNSET" else found.mesh
    return Plaintext(refused, mode, by or own, field, name if refused else "")


class _Made(NamedTuple):
    """The policy that istiod makes of a PeerAuthentication with ports: it refuses plaintext on `strict` ports.

    Where there are `open` ones, it refuses plaintext on all others, too.
    """

    open: frozenset[int]
    strict: frozenset[int]


def _made(own: PeerAuthentication, every: list[PeerAuthentication], namespace: str, root: str) -> _Made | None:
    """None where istiod makes no policy: it finds nothing that the policies above do not say already."""
    whole = next((p for p in every if p.selector is None and p.meta.namespace == namespace), None)
    mesh = next((p for p in every if p.selector is None and p.meta.namespace == root), None)
    said_by_mesh = (whole is None or whole.mode == "UNSET") and mesh is not None and mesh.mode == "STRICT"
    said = own.mode == "STRICT" or (own.mode == "UNSET" and whole is not None and whole.mode == "STRICT") or said_by_mesh
    strict = frozenset(port for port, mode in own.ports.items() if mode == "STRICT" and not said)
    above = whole if whole is not None else mesh
    closed = own.mode == "STRICT" or (own.mode == "UNSET" and above is not None and above.mode == "STRICT")
    opened = frozenset(port for port, mode in own.ports.items() if mode in _RELAXED and closed)
    return _Made(opened, strict) if opened or (strict and own.mode != "STRICT") else None
