"""VirtualService, DestinationRule, Gateway, Sidecar, ServiceEntry, WorkloadEntry and WorkloadGroup: what their CRDs refuse.

Source: istio/api:kubernetes/customresourcedefinitions.gen.yaml.
"""

from __future__ import annotations

from typing import Any

from meshcheck.decode.admission import metadata
from meshcheck.decode.admission.faults import Check, Faults, at
from meshcheck.decode.admission.istio_formats import FORMATS, keys_plain
from meshcheck.decode.admission.table import Table
from meshcheck.decode.admission.words import shown
from meshcheck.model.pattern import pattern

TABLE = """
Http2KeepAlive: interval str~duration, timeout str~duration
HTTPPool: h2UpgradePolicy =DEFAULT|DO_NOT_UPGRADE|UPGRADE, http1MaxPendingRequests int32, http2KeepAlive Http2KeepAlive,
    http2MaxRequests int32, idleTimeout str~duration, maxConcurrentStreams int32, maxRequestsPerConnection int32,
    maxRetries int32, useClientProtocol bool
TcpKeepalive: interval str~duration, probes int:0..4294967295, time str~duration
TCPPool: connectTimeout str~duration, idleTimeout str, maxConnectionDuration str~duration, maxConnections int32,
    tcpKeepalive TcpKeepalive
ConnectionPool: http HTTPPool, tcp TCPPool
Attribute: name! str, value str
HttpCookie: attributes [Attribute], name! str, path str, ttl str
Maglev: tableSize int:0..
RingHash: minimumRingSize int:0..
ConsistentHash %httpHeaderName|httpCookie|useSourceIp|httpQueryParameterName %ringHash|maglev: httpCookie HttpCookie,
    httpHeaderName str, httpQueryParameterName str, maglev Maglev, minimumRingSize int:0.., ringHash RingHash,
    useSourceIp bool
Distribution: from str, to {int:0..4294967295}
Failover: from str, to str
LocalityLbSetting: distribute [Distribution], enabled bool?, failover [Failover], failoverPriority [str]
Warmup: aggression num:0..?, duration! str~duration, minimumPercent num:0..100?
ZoneAwareLbSetting: enabled bool?, failover [Failover], failoverPriority [str], minClusterSize int:1..4294967295?
LoadBalancer %simple|consistentHash: consistentHash ConsistentHash, localityLbSetting LocalityLbSetting,
    simple =UNSPECIFIED|LEAST_CONN|RANDOM|PASSTHROUGH|ROUND_ROBIN|LEAST_REQUEST, warmup Warmup, warmupDurationSecs str~duration,
    zoneAwareLbSetting ZoneAwareLbSetting
OutlierDetection: baseEjectionTime str~duration, consecutive5xxErrors int:0..4294967295?, consecutiveErrors int32,
    consecutiveGatewayErrors int:0..4294967295?, consecutiveLocalOriginFailures int:0..4294967295?, interval str~duration,
    maxEjectionPercent int32, minHealthPercent int32, outlierDetectionHttpErrorCodes [int:100..599],
    splitExternalLocalOriginErrors bool
PortNumber: number int:0..4294967295
ClientTLS: caCertificates str, caCrl str, clientCertificate str, credentialName str, insecureSkipVerify bool?,
    mode =DISABLE|SIMPLE|MUTUAL|ISTIO_MUTUAL, privateKey str, sni str, subjectAltNames [str]
PortLevelSetting: connectionPool ConnectionPool, loadBalancer LoadBalancer, outlierDetection OutlierDetection, port PortNumber,
    tls ClientTLS
ProxyProtocol: version =V1|V2
RetryBudget: budgetInterval str, minRetryConcurrency int:0..4294967295, percent num:0..100?
Tunnel: protocol str, targetHost! str, targetPort! int:0..4294967295
TrafficPolicy: connectionPool ConnectionPool, loadBalancer LoadBalancer, outlierDetection OutlierDetection,
    portLevelSettings [PortLevelSetting]:..4096, proxyProtocol ProxyProtocol, retryBudget RetryBudget, tls ClientTLS,
    tunnel Tunnel
Subset: labels {str}, name! str, trafficPolicy TrafficPolicy
WorkloadSelector: matchLabels {str:..63~no_star}:..4096#keys_plain
DestinationRuleSpec: exportTo [str], host! str, subsets [Subset], trafficPolicy TrafficPolicy, workloadSelector WorkloadSelector
DestinationRule: spec DestinationRuleSpec, apiVersion str, kind str, metadata ObjectMeta, status any
ServerPort: name! str, number! int:0..4294967295, protocol! str, targetPort int:0..4294967295
Certificate: caCertificates str, privateKey str, serverCertificate str
ServerTLS %tlsCertificates|credentialNames %credentialName|credentialNames: caCertCredentialName str, caCertificates str, caCrl str,
    cipherSuites [str], credentialName str, credentialNames [str]:1..2, httpsRedirect bool, insecureSkipVerify bool?,
    maxProtocolVersion =TLS_AUTO|TLSV1_0|TLSV1_1|TLSV1_2|TLSV1_3, minProtocolVersion =TLS_AUTO|TLSV1_0|TLSV1_1|TLSV1_2|TLSV1_3,
    mode =PASSTHROUGH|SIMPLE|MUTUAL|AUTO_PASSTHROUGH|ISTIO_MUTUAL|OPTIONAL_MUTUAL, privateKey str, serverCertificate str,
    subjectAltNames [str], tlsCertificates [Certificate]:1..2, verifyCertificateHash [str], verifyCertificateSpki [str]
Server: bind str, defaultEndpoint str, hosts! [str], name str, port! ServerPort, tls ServerTLS
GatewaySpec: selector {str}, servers [Server]
Gateway: spec GatewaySpec, apiVersion str, kind str, metadata ObjectMeta, status any
Endpoint #has_address #no_ports: address str:..256~uds, labels {str}:..256, locality str:..2048, network str:..2048,
    ports {int:1..65535}:..128#port_names, serviceAccount str:..253, weight int:0..4294967295
ServicePort: name! str:..256, number! int:1..65535, protocol str:..256, targetPort int:1..65535
LabelsSelector: labels {str:..63~no_star}:..256
ServiceEntrySpec %workloadSelector|endpoints #addresses: addresses [str:..64]:..256, endpoints [Endpoint]:..4096, exportTo [str],
    hosts! [str~no_lone_star]:1..256, location =MESH_EXTERNAL|MESH_INTERNAL, ports [ServicePort]:..256@name#unique_numbers,
    resolution =NONE|STATIC|DNS|DNS_ROUND_ROBIN|DYNAMIC_DNS, subjectAltNames [str], workloadSelector LabelsSelector
ServiceEntry: spec! ServiceEntrySpec, apiVersion str, kind str, metadata ObjectMeta, status any
ListenerPort: name str, number int:0..4294967295, protocol str, targetPort int:0..4294967295
EgressListener: bind str, captureMode =DEFAULT|IPTABLES|NONE, hosts! [str], port ListenerPort
IngressListener: bind str, captureMode =DEFAULT|IPTABLES|NONE, connectionPool ConnectionPool, defaultEndpoint str,
    port! ListenerPort, tls ServerTLS
Destination: host! str, port PortNumber, subset str
OutboundTrafficPolicy: egressProxy Destination, mode =REGISTRY_ONLY|ALLOW_ANY
SidecarSpec: egress [EgressListener], inboundConnectionPool ConnectionPool, ingress [IngressListener],
    outboundTrafficPolicy OutboundTrafficPolicy, workloadSelector LabelsSelector
Sidecar: spec SidecarSpec, apiVersion str, kind str, metadata ObjectMeta, status any
StringMatch %exact|prefix|regex: exact str, prefix str, regex str
CORS: allowCredentials bool?, allowHeaders [str], allowMethods [str], allowOrigin [str], allowOrigins [StringMatch],
    exposeHeaders [str], maxAge str~duration, unmatchedPreflights =UNSPECIFIED|FORWARD|IGNORE
Delegate: name str, namespace str
Body %string|bytes: bytes str~base64, string str
DirectResponse: body Body, status! int:0..4294967295
Percent: value num
Abort %httpStatus|grpcStatus|http2Error: grpcStatus str, http2Error str, httpStatus int32, percentage Percent
Delay %fixedDelay|exponentialDelay: exponentialDelay str~duration, fixedDelay str~duration, percent int32, percentage Percent
Fault: abort Abort, delay Delay
HeaderChanges: add {str}, remove [str], set {str}
Headers: request HeaderChanges, response HeaderChanges
HTTPMatch: authority StringMatch, gateways [str], headers {StringMatch}, ignoreUriCase bool, method StringMatch, name str,
    port int:0..4294967295, queryParams {StringMatch}, scheme StringMatch, sourceLabels {str}, sourceNamespace str,
    statPrefix str, uri StringMatch, withoutHeaders {StringMatch}
Mirror: destination! Destination, percentage Percent
Redirect %port|derivePort: authority str, derivePort =FROM_PROTOCOL_DEFAULT|FROM_REQUEST_PORT, port int:0..4294967295,
    prefixRewrite str, redirectCode int:0..4294967295, scheme str, uri str
Retries: attempts int32, backoff str~duration, perTryTimeout str~duration, retryIgnorePreviousHosts bool?, retryOn str,
    retryRemoteLocalities bool?
RegexRewrite: match str, rewrite str
Rewrite: authority str, uri str, uriRegexRewrite RegexRewrite
WeightedRoute: destination! Destination, headers Headers, weight int32
HTTPRoute: corsPolicy CORS, delegate Delegate, directResponse DirectResponse, fault Fault, headers Headers, match [HTTPMatch],
    mirror Destination, mirror_percent int:0..4294967295?, mirrorPercent int:0..4294967295?, mirrorPercentage Percent,
    mirrors [Mirror], name str, redirect Redirect, retries Retries, rewrite Rewrite, route [WeightedRoute],
    timeout str~duration
TCPMatch: destinationSubnets [str], gateways [str], port int:0..4294967295, sourceLabels {str}, sourceNamespace str,
    sourceSubnet str
PlainRoute: destination! Destination, weight int32
TCPRoute: match [TCPMatch], route [PlainRoute]
TLSMatch: destinationSubnets [str], gateways [str], port int:0..4294967295, sniHosts! [str], sourceLabels {str},
    sourceNamespace str
TLSRoute: match! [TLSMatch], route [PlainRoute]
VirtualServiceSpec: exportTo [str], gateways [str], hosts [str], http [HTTPRoute], tcp [TCPRoute], tls [TLSRoute]
VirtualService: spec VirtualServiceSpec, apiVersion str, kind str, metadata ObjectMeta, status any
WorkloadEntry: spec! Endpoint, apiVersion str, kind str, metadata ObjectMeta, status any
GroupMetadata: annotations {str}:..256, labels {str}:..256
ProbeExec: command! [str:1..]
ProbeGRPC: port int:1..65535, service str
ProbeHeader: name str~header, value str
ProbeHTTP: host str, httpHeaders [ProbeHeader], path str, port! int:1..65535, scheme =""|HTTP|HTTPS
ProbeTCP: host str, port! int:1..65535
Probe %httpGet|tcpSocket|exec|grpc: exec ProbeExec, failureThreshold int32:0.., grpc ProbeGRPC, httpGet ProbeHTTP,
    initialDelaySeconds int32:0.., periodSeconds int32:0.., successThreshold int32:0.., tcpSocket ProbeTCP,
    timeoutSeconds int32:0..
Template #no_ports: address str:..256~uds, labels {str}:..256, locality str:..2048, network str:..2048,
    ports {int:1..65535}:..128#port_names, serviceAccount str:..253, weight int:0..4294967295
WorkloadGroupSpec: metadata GroupMetadata, probe Probe, template! Template
WorkloadGroup: spec! WorkloadGroupSpec, apiVersion str, kind str, metadata ObjectMeta, status any
"""
_PORT_NAME = pattern(r"[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?")


def _has_address(value: dict[str, Any]) -> Faults:
    return None if "address" in value or "network" in value else at("`address` is required", "address")


def _no_ports(value: dict[str, Any]) -> Faults:
    return at("a Unix socket has no ports", "ports") if value.get("address", "").startswith("unix://") and "ports" in value else None


def _uds(text: str) -> str | None:
    if not text.startswith("unix://"):
        return None
    if text[7:8] not in ("/", "@"):
        return f"`{shown(text)}` must name a socket by an absolute path"
    return f"`{shown(text)}` names a folder" if text.endswith("/") else None


def _port_names(value: dict[str, Any]) -> Faults:
    for name in value:
        if len(name) >= 63 or not _PORT_NAME.fullmatch(name):
            return at(f"`{shown(name)}` is no port name", name)
    return None


def _unique_numbers(value: list[dict[str, Any]]) -> Faults:
    seen = set()
    for number, port in enumerate(value):
        if port["number"] in seen:
            return at(f"port {port['number']} is there twice", number, "number")
        seen.add(port["number"])
    return None


def _addresses(value: dict[str, Any]) -> Faults:
    resolution = value.get("resolution", "NONE")
    if resolution not in ("NONE", "STATIC"):
        for number, text in enumerate(value.get("addresses") or ()):
            if "/" in text:
                return at("a CIDR is for resolution NONE and STATIC only", "addresses", number)
    if resolution == "NONE" and "endpoints" in value:
        return at("resolution NONE takes no endpoints", "endpoints")
    if resolution == "DNS_ROUND_ROBIN" and len(value.get("endpoints") or ()) > 1:
        return at("resolution DNS_ROUND_ROBIN takes one endpoint", "endpoints")
    return None


_RULES: dict[str, Check] = {
    "has_address": _has_address,
    "no_ports": _no_ports,
    "port_names": _port_names,
    "unique_numbers": _unique_numbers,
    "addresses": _addresses,
    "keys_plain": keys_plain,
}
KINDS = Table(TABLE + metadata.TABLE, {**metadata.RULES, **_RULES}, {**metadata.CUSTOM_FORMATS, **FORMATS, "uds": _uds})
