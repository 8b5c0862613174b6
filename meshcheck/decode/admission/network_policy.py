"""NetworkPolicy.

Source: kubernetes/kubernetes:pkg/apis/networking/validation/validation.go:ValidateNetworkPolicySpec.
"""

from __future__ import annotations

from typing import Any

from meshcheck.decode.admission import addresses, formats, metadata
from meshcheck.decode.admission.faults import Faults, at
from meshcheck.decode.admission.table import Table
from meshcheck.decode.admission.words import outside

TABLE = """
NetworkPolicy: apiVersion str, kind str, metadata ObjectMeta, spec Spec
Spec: egress [EgressRule], ingress [IngressRule], podSelector LabelSelector, policyTypes [=Ingress|Egress]:..2
EgressRule: ports [Port#port], to [Peer#peer]
IngressRule: from [Peer#peer], ports [Port#port]
Port: endPort int32, port intstr, protocol =TCP|UDP|SCTP
Peer: ipBlock IPBlock#ip_block, namespaceSelector LabelSelector, podSelector LabelSelector
IPBlock: cidr str, except [str~cidr]
"""


def _port(value: dict[str, Any]) -> Faults:
    port, end = value.get("port"), value.get("endPort")
    if isinstance(port, str):
        if said := formats.port_name(port):
            return at(said, "port")
        return at(f"`endPort` cannot stand beside a port's name (`{port}`); give the number", "endPort") if end is not None else None
    if port is None:
        return at("`endPort` needs `port`, the first of the range", "endPort") if end is not None else None
    if not 1 <= port <= 65535:
        return at(outside(port, 1, 65535), "port")
    if end is not None and end < port:
        return at(f"`endPort` {end} is less than `port` {port}", "endPort")
    return at(outside(end, 1, 65535), "endPort") if end is not None and end > 65535 else None


def _peer(value: dict[str, Any]) -> Faults:
    if not value:
        return at("a peer needs `podSelector`, `namespaceSelector` or `ipBlock`; to allow everyone leave the list of peers out")
    if "ipBlock" in value and len(value) > 1:
        return at("`ipBlock` cannot stand beside a selector; make it a peer of its own", "ipBlock")
    return None


def _ip_block(value: dict[str, Any]) -> Faults:
    text = value.get("cidr", "")
    if not text:
        return at("`cidr` is required", "cidr")
    if said := addresses.cidr(text):
        return at(said, "cidr")
    whole = addresses.network(text)
    for number, other in enumerate(value.get("except") or ()):
        part = addresses.network(other)
        assert whole is not None
        assert part is not None
        if part.version != whole.version or not part.subnet_of(whole) or part.prefixlen == whole.prefixlen:  # type: ignore[arg-type]
            return at(f"`{other}` is not a smaller part of `{text}`", "except", number)
    return None


KINDS = Table(
    TABLE + metadata.TABLE,
    {**metadata.RULES, "port": _port, "peer": _peer, "ip_block": _ip_block},
    {**metadata.FORMATS, "cidr": addresses.cidr},
    lenient_nulls=True,
)
