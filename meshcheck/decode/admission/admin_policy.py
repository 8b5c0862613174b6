"""AdminNetworkPolicy, BaselineAdminNetworkPolicy (v1alpha1) and ClusterNetworkPolicy (v1alpha2).

The fields are those of the experimental channel: a cluster with the standard channel drops `nodes`, `domainNames` and
`namedPort`, which leaves an empty peer or port. Source: the CRDs in kubernetes-sigs/network-policy-api:config/crd.
"""

from __future__ import annotations

from typing import Any

from meshcheck.decode.admission import addresses, formats, metadata
from meshcheck.decode.admission.faults import Check, Faults, at
from meshcheck.decode.admission.table import Table

TABLE = """
AdminNetworkPolicy: apiVersion str, kind str, metadata! ObjectMeta, spec! Spec, status any
Spec: egress [Egress]:..100, ingress [Ingress]:..100, priority! int32:0..1000, subject! Namespaced
Egress #no_names_outside: action! =Allow|Deny|Pass, name str:..100, ports [Port]:1..100, to! [To]:1..100
Ingress: action! =Allow|Deny|Pass, from! [Namespaced]:1..100, name str:..100, ports [Port]:1..100
To :1..1: domainNames [str~domain]:1..25@, namespaces Selector, networks [str:..43~cidr]:1..25@, nodes Selector, pods Pods
Namespaced :1..1: namespaces Selector, pods Pods
Pods: namespaceSelector! Selector, podSelector! Selector
Selector: matchExpressions [Expression], matchLabels {str}
Expression: key! str, operator! str, values [str]
Port :1..1: namedPort str, portNumber PortNumber, portRange PortRange
PortNumber: port! int32:1..65535, protocol str
PortRange: end! int32:1..65535, protocol str, start! int32:1..65535

BaselineAdminNetworkPolicy #named_default: apiVersion str, kind str, metadata! ObjectMeta, spec! BaselineSpec, status any
BaselineSpec: egress [BaselineEgress]:..100, ingress [BaselineIngress]:..100, subject! Namespaced
BaselineEgress #no_names_outside: action! =Allow|Deny, name str:..100, ports [Port]:1..100, to! [BaselineTo]:1..100
BaselineIngress: action! =Allow|Deny, from! [Namespaced]:1..100, name str:..100, ports [Port]:1..100
BaselineTo :1..1: namespaces Selector, networks [str:..43~cidr]:1..25@, nodes Selector, pods Pods

ClusterNetworkPolicy: apiVersion str, kind str, metadata! ObjectMeta, spec! ClusterSpec, status any
ClusterSpec: egress [ClusterEgress]:..25, ingress [ClusterIngress]:..25, priority! int32:0..1000, subject! ClusterNamespaced,
    tier! =Admin|Baseline
ClusterEgress #no_names_outside: action! =Accept|Deny|Pass, name str:..100, protocols [Protocol]:1..25, to! [ClusterTo]:1..25
ClusterIngress: action! =Accept|Deny|Pass, from! [ClusterNamespaced]:1..25, name str:..100, protocols [Protocol]:1..25
ClusterTo :1..1: domainNames [str~domain]:1..25@, namespaces Selector, networks [str:..43~cidr]:1..25@, nodes Selector,
    pods ClusterPods
ClusterNamespaced :1..1: namespaces Selector, pods ClusterPods
ClusterPods: namespaceSelector Selector, podSelector! Selector
Protocol :1..1: destinationNamedPort str, sctp Ports, tcp Ports, udp Ports
Ports :1..: destinationPort DestinationPort
DestinationPort :1..1: number int32:1..65535, range Range
Range #ascending: end! int32:1..65535, start! int32:1..65535
"""
_OUTSIDE = ("networks", "nodes", "domainNames")


def _no_names_outside(value: dict[str, Any]) -> Faults:
    """Named ports exist on pods only."""
    field, name = ("protocols", "destinationNamedPort") if "protocols" in value else ("ports", "namedPort")
    if not any(name in port for port in value.get(field) or ()):
        return None
    kinds = [kind for kind in _OUTSIDE if any(kind in peer for peer in value["to"])]
    return at(f"`{name}` cannot stand in a rule for `{kinds[0]}`: only pods have named ports", field) if kinds else None


def _named_default(value: dict[str, Any]) -> Faults:
    name = value["metadata"].get("name")
    return at("there can only be one, with the name `default`", "metadata", "name") if name != "default" else None


def _ascending(value: dict[str, Any]) -> Faults:
    return None if value["start"] < value["end"] else at(f"`start` {value['start']} must be less than `end` {value['end']}", "start")


_RULES: dict[str, Check] = {"no_names_outside": _no_names_outside, "named_default": _named_default, "ascending": _ascending}
_DOMAIN = r"(\*\.)?([a-zA-z0-9]([-a-zA-Z0-9_]*[a-zA-Z0-9])?\.)+[a-zA-z0-9]([-a-zA-Z0-9_]*[a-zA-Z0-9])?\.?"
KINDS = Table(
    TABLE + metadata.TABLE,
    {**metadata.RULES, **_RULES},
    {**metadata.CUSTOM_FORMATS, "cidr": addresses.plain_cidr, "domain": formats.matching(_DOMAIN, "a domain such as `*.example.com`")},
)
