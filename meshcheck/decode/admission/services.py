"""Service, Endpoints and EndpointSlice.

Sources: kubernetes/kubernetes:pkg/apis/core/validation/validation.go:ValidateServiceCreate, ValidateEndpoints;
pkg/apis/discovery/validation/validation.go; defaults of pkg/apis/core/v1/defaults.go.
"""

from __future__ import annotations

from typing import Any

from meshcheck.decode.admission import addresses, formats, metadata
from meshcheck.decode.admission.faults import Check, Faults, at, below
from meshcheck.decode.admission.table import Table
from meshcheck.decode.admission.words import outside, shown
from meshcheck.model.pattern import pattern

TABLE = """
Service #service: apiVersion str, kind str, metadata ObjectMeta, spec ServiceSpec, status ServiceStatus
ServiceSpec #service_spec #service_ports #cluster_addresses #outside #affinity: allocateLoadBalancerNodePorts bool, clusterIP str,
    clusterIPs [str], externalIPs [str~endpoint_address], externalName str, externalTrafficPolicy str, healthCheckNodePort int32,
    internalTrafficPolicy =Cluster|Local, ipFamilies [=IPv4|IPv6]@, ipFamilyPolicy =SingleStack|PreferDualStack|RequireDualStack,
    loadBalancerClass str, loadBalancerIP str, loadBalancerSourceRanges [str], ports [ServicePort#service_port],
    publishNotReadyAddresses bool, selector {str}#labels, sessionAffinity =""|ClientIP|None,
    sessionAffinityConfig SessionAffinityConfig, trafficDistribution =PreferClose|PreferSameZone|PreferSameNode,
    type =""|ClusterIP|ExternalName|LoadBalancer|NodePort
SessionAffinityConfig: clientIP ClientIP
ClientIP: timeoutSeconds int32
ServicePort: appProtocol str~qualified, name str~optional_label, nodePort int32, port int32:1..65535, protocol =""|TCP|UDP|SCTP,
    targetPort intstr
ServiceStatus: conditions any, loadBalancer LoadBalancer
LoadBalancer: ingress [LoadBalancerIngress]
LoadBalancerIngress: hostname str, ip str, ipMode str, ports [PortStatus]
PortStatus: error str, port int32, protocol str

Endpoints: apiVersion str, kind str, metadata ObjectMeta, subsets [Subset#subset]
Subset: addresses [Address], notReadyAddresses [Address], ports [EndpointPort]
Address #has_ip: hostname str~optional_label, ip str~endpoint_address, nodeName str~subdomain, targetRef Reference
EndpointPort: appProtocol str~qualified, name str~optional_label, port int32, protocol =""|TCP|UDP|SCTP
Reference: apiVersion str, fieldPath str, kind str, name str, namespace str, resourceVersion str, uid str

EndpointSlice #slice: addressType str, apiVersion str, endpoints [SliceEndpoint]:..1000, kind str, metadata ObjectMeta,
    ports [SlicePort]:..20000
SliceEndpoint: addresses [str], conditions Conditions, deprecatedTopology {str}:..16, hints Hints, hostname str~label,
    nodeName str~subdomain, targetRef Reference, zone str
Conditions: ready bool, serving bool, terminating bool
Hints: forNodes [Hint]:..8@name, forZones [Zone]:..8@name
Hint: name str~subdomain
Zone: name str~label_value
SlicePort: appProtocol str~qualified, name str~optional_label, port int32, protocol =TCP|UDP|SCTP
"""
_FULL_NAME = pattern(rf"{formats.LABEL}(\.{formats.LABEL})+\.?")


def _service(value: dict[str, Any]) -> Faults:
    spec = value.get("spec")
    if spec is None:
        return at("`ports` are required", "spec", "ports")
    noted = (value.get("metadata") or {}).get("annotations") or {}
    ranges = noted.get("service.beta.kubernetes.io/load-balancer-source-ranges")
    if ranges is not None and not spec.get("loadBalancerSourceRanges"):
        where = ("metadata", "annotations", "service.beta.kubernetes.io/load-balancer-source-ranges")
        if spec.get("type") != "LoadBalancer":
            return at("source ranges are for `type: LoadBalancer`", *where)
        for text in ranges.split(",") if ranges.strip() else ():
            if said := addresses.cidr(text.strip()):
                return at(said, *where)
    hints, mode = noted.get("service.kubernetes.io/topology-aware-hints"), noted.get("service.kubernetes.io/topology-mode")
    if hints is not None and mode is not None and hints != mode:
        return at(
            "contradicts `service.kubernetes.io/topology-aware-hints`", "metadata", "annotations", "service.kubernetes.io/topology-mode"
        )
    return None


def _headless(spec: dict[str, Any]) -> bool:
    """As the strategy reads it: a single `clusterIPs: [None]`, or `clusterIP: None`."""
    given = spec.get("clusterIPs") or ([spec["clusterIP"]] if spec.get("clusterIP") else [])
    return given == ["None"]


def _service_spec(spec: dict[str, Any]) -> Faults:
    kind = spec.get("type") or "ClusterIP"
    headless = _headless(spec)
    if not spec.get("ports") and not headless and kind != "ExternalName":
        return at("`ports` are required", "ports")
    if headless and kind in ("LoadBalancer", "NodePort"):
        return at(f"a Service of type `{kind}` cannot be headless", "clusterIP")
    if kind == "ExternalName":
        for name in ("clusterIPs", "clusterIP", "ipFamilies", "ipFamilyPolicy"):
            if spec.get(name):
                return at("not for `type: ExternalName`", name)
        target = spec.get("externalName", "").removesuffix(".")
        if not target:
            return at("`externalName` is required", "externalName")
        if said := formats.dns_subdomain(target):
            return at(said, "externalName")
    if kind != "LoadBalancer":
        for name in ("loadBalancerSourceRanges", "allocateLoadBalancerNodePorts", "loadBalancerClass"):
            if name in spec and spec[name] != []:
                return at(f"only for `type: LoadBalancer`, and this is `{kind}`", name)
    elif "loadBalancerClass" in spec and (said := formats.label_key(spec["loadBalancerClass"])):
        return at(said, "loadBalancerClass")
    for number, text in enumerate(spec.get("loadBalancerSourceRanges") or ()):
        if said := addresses.cidr(text.strip()):
            return at(said, "loadBalancerSourceRanges", number)
    return None


def _service_port(port: dict[str, Any]) -> Faults:
    if "port" not in port:
        return at("`port` is required", "port")
    target = port.get("targetPort") or 1
    if isinstance(target, str):
        return at(said, "targetPort") if (said := formats.port_name(target)) else None
    return None if 1 <= target <= 65535 else at(outside(target, 1, 65535), "targetPort")


def _service_ports(spec: dict[str, Any]) -> Faults:
    ports: list[dict[str, Any]] = spec.get("ports") or []
    if len(ports) == 1 and not ports[0].get("nodePort"):
        return None
    names: set[str] = set()
    numbers: set[tuple[str, int]] = set()
    nodes: set[tuple[str, int]] = set()
    for number, port in enumerate(ports):
        name, protocol = port.get("name") or "", port.get("protocol") or "TCP"
        if len(ports) > 1 and not name:
            return at("with several ports each needs a name", "ports", number, "name")
        if name in names:
            return at(f"two ports have the name `{name}`", "ports", number, "name")
        names.add(name)
        if (protocol, port["port"]) in numbers:
            return at(f"port {port['port']} of {protocol} is there twice", "ports", number, "port")
        numbers.add((protocol, port["port"]))
        node = port.get("nodePort") or 0
        if node and (spec.get("type") or "ClusterIP") == "ClusterIP":
            return at("not for `type: ClusterIP`", "ports", number, "nodePort")
        if node and (protocol, node) in nodes:
            return at(f"node port {node} of {protocol} is there twice", "ports", number, "nodePort")
        nodes.add((protocol, node))
    return None


def _cluster_addresses(spec: dict[str, Any]) -> Faults:
    one, many = spec.get("clusterIP") or "", spec.get("clusterIPs") or []
    if spec.get("type") == "ExternalName" or (not one and not many):
        return None
    if one and many and many[0] != one:
        return at("the first of `clusterIPs` must be `clusterIP`", "clusterIPs")
    if many and not one:
        return at("needs `clusterIP`, the same as the first of these", "clusterIPs")
    given, field = (many, "clusterIPs") if many else ([one], "clusterIP")
    if len(given) > 2:
        return at("a Service has two addresses at most", field)
    if given[:1] == ["None"]:
        return at("`None` must be the only value", field) if len(given) > 1 else None
    found = []
    for number, text in enumerate(given):
        if said := addresses.ip(text):
            hint = "; a headless Service says `None`" if text.lower() == "none" else ""
            return at(said + hint, field, *((number,) if many else ()))
        found.append(addresses.address(text))
    versions = [address.version for address in found if address]
    if len(versions) == 2 and versions[0] == versions[1]:
        return at("two addresses must be one of IPv4 and one of IPv6", field)
    for number, (version, family) in enumerate(zip(versions, spec.get("ipFamilies") or ())):
        if family != f"IPv{version}":
            return at(f"`{given[number]}` is no address of {family}, as `ipFamilies` says", field)
    return None


def _outside(spec: dict[str, Any]) -> Faults:
    """What concerns callers from outside the cluster."""
    kind, policy = spec.get("type") or "ClusterIP", spec.get("externalTrafficPolicy") or ""
    reachable = kind in ("LoadBalancer", "NodePort") or (kind == "ClusterIP" and bool(spec.get("externalIPs")))
    if policy and not reachable:
        return at(f"only for Services that are reached from outside, and this is `{kind}`", "externalTrafficPolicy")
    if policy not in ("", "Cluster", "Local"):
        return at(f"`{shown(policy)}` is not one of `Cluster` and `Local`", "externalTrafficPolicy")
    check = spec.get("healthCheckNodePort") or 0
    if check and not (kind == "LoadBalancer" and policy == "Local"):
        return at("only for `type: LoadBalancer` with `externalTrafficPolicy: Local`", "healthCheckNodePort")
    return None if 0 <= check <= 65535 else at(outside(check, 1, 65535), "healthCheckNodePort")


def _affinity(spec: dict[str, Any]) -> Faults:
    if spec.get("sessionAffinity") != "ClientIP":
        return None
    seconds = ((spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}).get("timeoutSeconds")
    if seconds is None or 0 < seconds <= 86400:
        return None
    return at(outside(seconds, 1, 86400), "sessionAffinityConfig", "clientIP", "timeoutSeconds")


def _endpoint_address(text: str) -> str | None:
    if said := addresses.ip(text):
        return said
    found = addresses.address(text)
    assert found is not None
    if (
        found.is_unspecified
        or found.is_loopback
        or found.is_link_local
        or (found.is_multicast and (text.startswith("224.0.0.") or text[:4] == "ff02"))
    ):
        return f"`{text}` cannot be reached from elsewhere: unspecified, loopback or link-local"
    return None


def _subset(value: dict[str, Any]) -> Faults:
    if not value.get("addresses") and not value.get("notReadyAddresses"):
        return at("`addresses` or `notReadyAddresses` are required")
    ports = value.get("ports") or ()
    for number, port in enumerate(ports):
        if len(ports) > 1 and not port.get("name"):
            return at("with several ports each needs a name", "ports", number, "name")
        if not 1 <= port.get("port", 0) <= 65535:
            return at(outside(port.get("port", 0), 1, 65535), "ports", number, "port")
    return None


def _slice(value: dict[str, Any]) -> Faults:
    kind = value.get("addressType", "")
    if kind not in ("IPv4", "IPv6", "FQDN"):
        return at("`addressType` is `IPv4`, `IPv6` or `FQDN`", "addressType")
    names = set()
    for number, port in enumerate(value.get("ports") or ()):
        if (name := port.get("name", "")) in names:
            return at("two ports have the same name", "ports", number, "name")
        names.add(name)
    for number, endpoint in enumerate(value.get("endpoints") or ()):
        if bad := _slice_addresses(endpoint.get("addresses") or [], kind):
            return below(bad, "endpoints", number, "addresses")
    return None


def _slice_addresses(given: list[str], kind: str) -> Faults:
    if not 1 <= len(given) <= 100:
        return at("between 1 and 100 addresses are required")
    for number, text in enumerate(given):
        if kind == "FQDN":
            said = None if len(text) < 254 and _FULL_NAME.fullmatch(text) else f"`{shown(text)}` is no DNS name with a dot"
        else:
            said = _endpoint_address(text)
            address = addresses.address(text)
            if not said and address and f"IPv{address.version}" != kind:
                said = f"`{text}` is no address of {kind}"
            elif not said and kind == "IPv6" and address and str(address) != text:
                said = f"`{text}` must be written as `{address}`"
        if said:
            return at(said, number)
    return None


def _has_ip(value: dict[str, Any]) -> Faults:
    return None if "ip" in value else at("`ip` is required", "ip")


_RULES: dict[str, Check] = {
    "service": _service,
    "service_spec": _service_spec,
    "service_port": _service_port,
    "service_ports": _service_ports,
    "cluster_addresses": _cluster_addresses,
    "outside": _outside,
    "affinity": _affinity,
    "subset": _subset,
    "slice": _slice,
    "has_ip": _has_ip,
}
KINDS = Table(
    TABLE + metadata.TABLE,
    {**metadata.RULES, **_RULES},
    {
        **metadata.FORMATS,
        "qualified": formats.label_key,
        "label": formats.dns_label,
        "optional_label": lambda text: formats.dns_label(text) if text else None,
        "label_value": formats.label_value,
        "subdomain": formats.dns_subdomain,
        "endpoint_address": _endpoint_address,
    },
    lenient_nulls=True,
)
