"""Resources of the API server by the names that people write: plural, singular, kind and short name.

Sources: `kubectl api-resources` of Kubernetes 1.37, Istio 1.31 and Gateway API 1.6.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

from meshcheck.model.record import NamedTuple

_VERBS = "get list watch create update patch delete deletecollection impersonate bind escalate use approve sign attest proxy"
VERBS = frozenset(_VERBS.split())
"""Verbs of requests for resources; custom resources may have others."""

_TABLE = """
"" namespaced: pod/po configmap/cm secret service/svc serviceaccount/sa endpoints/ep event/ev persistentvolumeclaim/pvc
"" namespaced: replicationcontroller/rc resourcequota/quota limitrange/limits podtemplate binding
"" cluster: namespace/ns node/no persistentvolume/pv componentstatus/cs user group
apps namespaced: deployment/deploy statefulset/sts daemonset/ds replicaset/rs controllerrevision
batch namespaced: job cronjob/cj
autoscaling namespaced: horizontalpodautoscaler/hpa
policy namespaced: poddisruptionbudget/pdb
networking.k8s.io namespaced: ingress/ing networkpolicy/netpol
networking.k8s.io cluster: ingressclass ipaddress/ip servicecidr
discovery.k8s.io namespaced: endpointslice
coordination.k8s.io namespaced: lease
rbac.authorization.k8s.io namespaced: role rolebinding
rbac.authorization.k8s.io cluster: clusterrole clusterrolebinding
storage.k8s.io cluster: storageclass/sc csidriver csinode volumeattachment volumeattributesclass/vac
storage.k8s.io namespaced: csistoragecapacity
scheduling.k8s.io cluster: priorityclass/pc
apiextensions.k8s.io cluster: customresourcedefinition/crd/crds
apiregistration.k8s.io cluster: apiservice
admissionregistration.k8s.io cluster: validatingwebhookconfiguration mutatingwebhookconfiguration
admissionregistration.k8s.io cluster: validatingadmissionpolicy validatingadmissionpolicybinding
authentication.k8s.io cluster: tokenreview selfsubjectreview uid userextra
authorization.k8s.io cluster: subjectaccessreview selfsubjectaccessreview selfsubjectrulesreview
authorization.k8s.io namespaced: localsubjectaccessreview
certificates.k8s.io cluster: certificatesigningrequest/csr clustertrustbundle
events.k8s.io namespaced: event/ev
metrics.k8s.io namespaced: pod
metrics.k8s.io cluster: node
node.k8s.io cluster: runtimeclass
resource.k8s.io namespaced: resourceclaim resourceclaimtemplate
resource.k8s.io cluster: deviceclass resourceslice
policy.networking.k8s.io cluster: clusternetworkpolicy/cnp adminnetworkpolicy/anp baselineadminnetworkpolicy/banp
gateway.networking.k8s.io cluster: gatewayclass/gc
gateway.networking.k8s.io namespaced: gateway/gtw httproute grpcroute tlsroute tcproute udproute
gateway.networking.k8s.io namespaced: referencegrant/refgrant backendtlspolicy/btlspolicy
networking.istio.io namespaced: virtualservice/vs destinationrule/dr gateway/gw sidecar serviceentry/se
networking.istio.io namespaced: workloadentry/we workloadgroup/wg envoyfilter proxyconfig
security.istio.io namespaced: authorizationpolicy/ap requestauthentication/ra peerauthentication/pa
telemetry.istio.io namespaced: telemetry
extensions.istio.io namespaced: wasmplugin
"""


class Resource(NamedTuple):
    """One resource: rules write `plural`; `others` are the names that only people and kubectl write."""

    plural: str
    group: str
    namespaced: bool
    others: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.plural}.{self.group}" if self.group else self.plural


class Resources:
    """Known resources, with those that the input defines. `served`: those of the API server that was read, which go first."""

    def __init__(self, custom: Iterable[Resource] = (), served: Iterable[Resource] = ()) -> None:
        first = tuple(served)
        self.served = frozenset((resource.plural, resource.group) for resource in first)
        """(plural, group); empty where no API server was read."""
        self.all = (*first, *(r for r in (*known(), *custom) if (r.plural, r.group) not in self.served))
        self._plural: dict[str, list[Resource]] = {}
        self._other: dict[str, list[Resource]] = {}
        for resource in self.all:
            self._plural.setdefault(resource.plural, []).append(resource)
            for name in resource.others:
                self._other.setdefault(name, []).append(resource)

    def find(self, name: str, group: str | None = None) -> Resource | None:
        """The resource that somebody means by a name; plural names win, and the order of the table after that."""
        lower = name.lower()
        named = self._plural.get(lower, []) + self._other.get(lower, [])
        return next((resource for resource in named if group in (None, resource.group)), None)

    def plural(self, name: str) -> tuple[Resource, ...]:
        """All resources whose plural name it is, exactly."""
        return tuple(self._plural.get(name, ()))


@cache
def known() -> tuple[Resource, ...]:
    """The resources of the table."""
    return tuple(_read())


def _read() -> Iterator[Resource]:
    for line in _TABLE.strip().splitlines():
        head, _, names = line.partition(":")
        group, scope = head.split()
        for entry in names.split():
            singular, *short = entry.split("/")
            yield Resource(plural_of(singular), "" if group == '""' else group, scope == "namespaced", (singular, *short))


def plural_of(singular: str) -> str:
    """The plural that Kubernetes would make of a kind in lower case."""
    if singular in ("endpoints", "serviceintentions", "ServiceIntentions"):
        return singular
    if singular.endswith("s"):
        return f"{singular}es"
    return f"{singular[:-1]}ies" if singular.endswith("y") and singular[-2:-1] not in "aeiou" else f"{singular}s"
