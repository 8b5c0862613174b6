"""Gateway API: GatewayClass, Gateway, ListenerSet, its routes, ReferenceGrant and BackendTLSPolicy.

Source: the CRDs of the standard channel in kubernetes-sigs/gateway-api:config/crd; rules in `gateway_api_rules`.
"""

from __future__ import annotations

from meshcheck.decode.admission import metadata
from meshcheck.decode.admission.gateway_api_rules import FORMATS, RULES
from meshcheck.decode.admission.table import Table

TABLE = """
TargetRef: group! str:..253~group, kind! str:1..63~kind, name! str:1..253, sectionName str:1..253~subdomain
LocalReference: group! str:..253~group, kind! str:1..63~kind, name! str:1..253
SubjectAltName #alternative: hostname str:1..253~hostname, type! =Hostname|URI, uri str:1..253~uri
Validation #authorities: caCertificateRefs [LocalReference]:..8, hostname! str:1..253~subdomain, subjectAltNames [SubjectAltName]:..5,
    wellKnownCACertificates str:1..253~authorities
BackendTLSSpec: options {str:0..4096}:..16, targetRefs! [TargetRef]:1..16#references, validation! Validation
BackendTLSPolicy: metadata ObjectMeta, spec! BackendTLSSpec, apiVersion str, kind str, status any
AnyReference: group! str:..253~group, kind! str:1..63~kind, name! str:1..253, namespace str:1..63~label
GatewayClassSpec: controllerName! str:1..253~controller, description str:..64, parametersRef AnyReference
GatewayClass: metadata ObjectMeta, spec! GatewayClassSpec, apiVersion str, kind str, status any
Address #address: type str:1..253~address_type, value str:..253
MatchExpression: key! str, operator! str, values [str]
Selector: matchExpressions [MatchExpression], matchLabels {str}
SetNamespaces: from =All|Selector|Same|None, selector Selector
AllowedListeners: namespaces SetNamespaces
Infrastructure: annotations {str:0..4096}:..16#keys, labels {str:0..63~label_value}:..8#keys, parametersRef LocalReference
RouteKind: group str:..253~group, kind! str:1..63~kind
RouteNamespaces: from =All|Selector|Same, selector Selector
AllowedRoutes: kinds [RouteKind]:..8, namespaces RouteNamespaces
CertificateRef: group str:..253~group, kind str:1..63~kind, name! str:1..253, namespace str:1..63~label
ListenerTLS #certificates: certificateRefs [CertificateRef]:..64, mode =Terminate|Passthrough, options {str:0..4096}:..16
Listener: allowedRoutes AllowedRoutes, hostname str:1..253~hostname, name! str:1..253~subdomain, port! int32:1..65535,
    protocol! str:1..255~protocol, tls ListenerTLS
BackendClient: clientCertificateRef CertificateRef
FrontendValidation: caCertificateRefs! [AnyReference]:1..16, mode =AllowValidOnly|AllowInsecureFallback
FrontendTLS: validation FrontendValidation
PerPort: port! int32:1..65535, tls! FrontendTLS
Frontend: default! FrontendTLS, perPort [PerPort]:..64@port
GatewayTLS: backend BackendClient, frontend Frontend
GatewaySpec: addresses [Address]:..16#addresses, allowedListeners AllowedListeners, gatewayClassName! str:1..253,
    infrastructure Infrastructure, listeners! [Listener]:1..64@name#listeners#distinct, tls GatewayTLS
Gateway: metadata ObjectMeta, spec! GatewaySpec, apiVersion str, kind str, status any
ParentRef: group str:..253~group, kind str:1..63~kind, name! str:1..253, namespace str:1..63~label, port int32:1..65535,
    sectionName str:1..253~subdomain
HeaderValue: name! str:1..256~header, value! str:1..4096
Headers: add [HeaderValue]:..16@name, remove [str]:..16@, set [HeaderValue]:..16@name
MirrorRef #service_port: group str:..253~group, kind str:1..63~kind, name! str:1..253, namespace str:1..63~label, port int32:1..65535
Fraction #fraction: denominator int32:1.., numerator! int32:0..
RequestMirror #one_share: backendRef! MirrorRef, fraction Fraction, percent int32:0..100
GRPCFilter #filter: extensionRef LocalReference, requestHeaderModifier Headers, requestMirror RequestMirror,
    responseHeaderModifier Headers, type! =ResponseHeaderModifier|RequestHeaderModifier|RequestMirror|ExtensionRef
GRPCBackendRef #service_port: filters [GRPCFilter]:..16#filters, group str:..253~group, kind str:1..63~kind, name! str:1..253,
    namespace str:1..63~label, port int32:1..65535, weight int32:0..1000000
Header: name! str:1..256~header, type =Exact|RegularExpression, value! str:1..4096
GRPCMethod #grpc_method: method str:..1024, service str:..1024, type =Exact|RegularExpression
GRPCMatch: headers [Header]:..16@name, method GRPCMethod
GRPCRule: backendRefs [GRPCBackendRef]:..16, filters [GRPCFilter]:..16#filters, matches [GRPCMatch]:..64, name str:1..253~subdomain
GRPCRouteSpec: hostnames [str:1..253~hostname]:..16, parentRefs [ParentRef]:..32#parents, rules [GRPCRule]:..16#all_matches
GRPCRoute: metadata ObjectMeta, spec! GRPCRouteSpec, apiVersion str, kind str, status any
CORS: allowCredentials bool, allowHeaders [str:1..256~header]:..64@#star_alone,
    allowMethods [=GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH|*]:..9@#star_alone,
    allowOrigins [str:1..253~origin]:..64@#star_alone, exposeHeaders [str:1..256~header]:..64@, maxAge int32:1..
PathModifier #path_modifier: replaceFullPath str:..1024, replacePrefixMatch str:..1024, type! =ReplaceFullPath|ReplacePrefixMatch
RequestRedirect: hostname str:1..253~subdomain, path PathModifier, port int32:1..65535, scheme =http|https,
    statusCode int#status_code
URLRewrite: hostname str:1..253~subdomain, path PathModifier
HTTPFilter #filter: cors CORS, extensionRef LocalReference, requestHeaderModifier Headers, requestMirror RequestMirror,
    requestRedirect RequestRedirect, responseHeaderModifier Headers,
    type! =RequestHeaderModifier|ResponseHeaderModifier|RequestMirror|RequestRedirect|URLRewrite|ExtensionRef|CORS,
    urlRewrite URLRewrite
HTTPBackendRef #service_port: filters [HTTPFilter]:..16#filters, group str:..253~group, kind str:1..63~kind, name! str:1..253,
    namespace str:1..63~label, port int32:1..65535, weight int32:0..1000000
HTTPPath #path: type =Exact|PathPrefix|RegularExpression, value str:..1024
QueryParam: name! str:1..256~header, type =Exact|RegularExpression, value! str:1..1024
HTTPMatch: headers [Header]:..16@name, method =GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH, path HTTPPath,
    queryParams [QueryParam]:..16@name
Timeouts #timeouts: backendRequest str~duration, request str~duration
HTTPRule #http_rule: backendRefs [HTTPBackendRef]:..16, filters [HTTPFilter]:..16#filters, matches [HTTPMatch]:..64,
    name str:1..253~subdomain, timeouts Timeouts
HTTPRouteSpec: hostnames [str:1..253~hostname]:..16, parentRefs [ParentRef]:..32#parents, rules [HTTPRule]:1..16#all_matches
HTTPRoute: metadata ObjectMeta, spec! HTTPRouteSpec, apiVersion str, kind str, status any
ListenerSetSpec: listeners! [Listener]:1..64@name#listeners#distinct, parentRef! CertificateRef
ListenerSet: metadata ObjectMeta, spec! ListenerSetSpec, apiVersion str, kind str, status any
GrantFrom: group! str:..253~group, kind! str:1..63~kind, namespace! str:1..63~label
GrantTo: group! str:..253~group, kind! str:1..63~kind, name str:1..253
ReferenceGrantSpec: from! [GrantFrom]:1..16, to! [GrantTo]:1..16
ReferenceGrant: metadata ObjectMeta, spec! ReferenceGrantSpec, apiVersion str, kind str, status any
PlainBackendRef #service_port: group str:..253~group, kind str:1..63~kind, name! str:1..253, namespace str:1..63~label,
    port int32:1..65535, weight int32:0..1000000
PlainRule: backendRefs! [PlainBackendRef]:1..16, name str:1..253~subdomain
TCPRouteSpec: parentRefs [ParentRef]:..32#parents, rules! [PlainRule]:1..1
TCPRoute: metadata ObjectMeta, spec! TCPRouteSpec, apiVersion str, kind str, status any
TLSRouteSpec: hostnames! [str:1..253~hostname]:1..1024#hosts, parentRefs [ParentRef]:..32#parents, rules! [PlainRule]:1..1
TLSRoute: metadata ObjectMeta, spec! TLSRouteSpec, apiVersion str, kind str, status any
"""
KINDS = Table(TABLE + metadata.TABLE, {**metadata.RULES, **RULES}, {**metadata.CUSTOM_FORMATS, **FORMATS})
