"""Words that mean something to Kubernetes, Istio, Gateway API or a controller: redaction leaves them as they are."""

from __future__ import annotations

from meshcheck.model.cluster_kinds import cluster_kinds

CONTROLLERS = ("nginx", "istio", "proxyv2", "envoy", "traefik", "kong", "contour", "haproxy", "ztunnel", "pilot", "ingress", "openresty")
"""Images by whose names a controller or a proxy is known."""
NOTES = (
    *("istio.io", "kubernetes.io", "k8s.io", "konghq.com", "haproxy.org", "haproxy-ingress.github.io", "projectcontour.io"),
    *("aws.amazon.com", "google.com", "gke.io", "envoyproxy.io", "elbv2.k8s.aws", "linkerd.io", "cilium.io"),
)
"""Annotations that are kept: those whose prefix ends so."""
_WORDS = """
abort accept actions active address admin admins agent all allow allowed always ambient and anonymous any api app application apps argo
attribute audience audiences auth authenticated authentication authority authorization authz auto automatic aws azure backend basic
batch bearer bin body bootstrap bot browser buffer canary cert certificate certs cgi cidr claim claims class client cluster cni code com
common component conf config connect connection consistent content contour controller controllers cookie cookies core coredns cors crt
css csv data dataplane default delete deny destination dev digest direct disable disabled discovery dns domain dry duration edge edit
eds egress egressgateway elb enable enabled enforce envoy error etc eth exact example exclude expect export extensions external false
fault federation file files first for forward forwarded fqdn from gateway gatewayclass gateways gce get gke global google group groups
grpc grpcs haproxy head header headers health healthz host hosts htm html htpasswd http http2 https ico ignore include index ingress
ingressgateway inject injection injector instance int internal invalid io issuer istio istiod js json jwks jwt k8s keepalive key keys
kind kong kube kubelet kubernetes label labels latest lease least level lib lightstep limit linkerd list listen live livez load local
localhost location log logs loopback lua managed manager master match mesh meta metadata method methods metrics mime mnt mode mongo
mutual mysql name named names namespace namespaces native net network networking never nginx node nodes none not notice null off offline
ondemand one only open openid openshift operation opt options org origin other outbound owner part pass passthrough password patch path
paths payload peer peers pem permissive php pid pilot plain plaintext png pod pods policies policy port ports post prefix preflight
presented preserve principal principals private prod production profile prom prometheus protocol proxy proxyv2 public put query random
rate ratelimit raw read ready readyz realm redirect redirection redis ref references regex registry reject release remote replace
request requested requests require required reset resource response restricted retry return rev revision rewrite role roles root route
router routes run running same scheme scope sctp secret secrets secure security selector self server servers service serviceaccount
serviceaccounts services session set share shared sidecar sidecars simple sni sock socket source spec spiffe srv ssl stable standard
static status strict string sub subject subset suffix svc svg switch system tag tagged tcp template templates test text tls token tokens
traefik traffic tree trigger true trust txt type types udp uid unix unless unset upstream uri url use user users usr v1 v1alpha1
v1alpha2 v1alpha3 v1beta1 v2 v2beta1 v3 value values var verify version view virtual virtualservice volume warn wasm waypoint weight
when wildcard with without worker world mesh remote unmanaged write www xds xml yaml your zone ztunnel
"""
RESERVED = frozenset(_WORDS.split()) | {
    word for kind in cluster_kinds() for part in (kind.group, kind.plural, kind.kind.lower()) for word in part.replace(".", " ").split()
}
