"""CiliumNetworkPolicy, CiliumClusterwideNetworkPolicy and CiliumCIDRGroup.

Only what every version's CRD asks for: an object that one of them takes must not be left out. What Cilium itself refuses later is said
by `decode/cilium.py`. Source: cilium/cilium:pkg/k8s/apis/cilium.io/client/crds/v2.
"""

from __future__ import annotations

from meshcheck.decode.admission import metadata
from meshcheck.decode.admission.table import Table

TABLE = """
CiliumNetworkPolicy: apiVersion str, kind str, metadata! ObjectMeta, spec Spec, specs [Spec], status any
CiliumClusterwideNetworkPolicy: apiVersion str, kind str, metadata! ObjectMeta, spec Spec, specs [Spec], status any
Spec: description str, egress [Egress], egressDeny [Egress], enableDefaultDeny Switch, endpointSelector Selector, ingress [Ingress],
    ingressDeny [Ingress], labels any, log any, nodeSelector Selector
Switch: egress bool, ingress bool
Ingress: authentication Authentication, fromCIDR [str], fromCIDRSet [CIDRRule], fromEndpoints [Selector], fromEntities [str],
    fromGroups any, fromNodes [Selector], fromRequires any, icmps [any], toPorts [Ports]
Egress: authentication Authentication, icmps [any], toCIDR [str], toCIDRSet [CIDRRule], toEndpoints [Selector], toEntities [str],
    toFQDNs [Name], toGroups any, toNodes [Selector], toPorts [Ports], toRequires any, toServices [Service]
Authentication: mode! str
Ports: listener any, originatingTLS any, ports [Port]:..40, rules Rules, serverNames [str], terminatingTLS any
Port: endPort int32:0..65535, port str, protocol str
Rules: dns [Name], http [Http], kafka any, l7 any, l7proto str
Name: matchName str:..255, matchPattern str:..255
Http: headerMatches [HeaderMatch], headers [str], host str, method str, path str
HeaderMatch: mismatch str, name! str, secret SecretName, value str
SecretName: name! str, namespace str
CIDRRule: cidr str, cidrGroupRef str, cidrGroupSelector Selector, except [str]
Service: k8sService ServiceName, k8sServiceSelector ServiceSelector
ServiceName: namespace str, serviceName str
ServiceSelector: namespace str, selector! Selector
Selector: matchExpressions [Expression], matchLabels {str}
Expression: key! str, operator! =In|NotIn|Exists|DoesNotExist, values [str]

CiliumCIDRGroup: apiVersion str, kind str, metadata! ObjectMeta, spec! GroupSpec
GroupSpec: externalCIDRs [str]
"""
KINDS = Table(TABLE + metadata.TABLE, metadata.RULES, metadata.CUSTOM_FORMATS)
