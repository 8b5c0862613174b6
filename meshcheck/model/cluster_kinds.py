"""The kinds that meshcheck reads from a cluster: one table, from which discovery, lists, coverage and the RBAC role are made.

`group: use scope: Kind[=heading] …`. The heading is that of the inventory (`decode/registry.py`): pods and WorkloadEntries are
what Workloads are known by; controllers (`-`) only lend their names and templates, so that a World without them is not the poorer.
Policies of network plugins and of other meshes follow from a table of their own (`foreign_policies.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from meshcheck.model.api_resources import plural_of
from meshcheck.model.foreign_policies import foreign_kinds
from meshcheck.model.record import NamedTuple

_TABLE = """
"": call namespaced: Pod=Workload Service ConfigMap ServiceAccount ReplicationController=-
"": call cluster: Namespace Node
apps: call namespaced: Deployment=- StatefulSet=- DaemonSet=- ReplicaSet=-
batch: call namespaced: Job=- CronJob=-
argoproj.io: call namespaced: Rollout=-
apps.openshift.io: call namespaced: DeploymentConfig=-
kubevirt.io: call namespaced: VirtualMachine=-
apps.kruise.io: call namespaced: CloneSet=-
discovery.k8s.io: call namespaced: EndpointSlice=Endpoints
networking.k8s.io: call namespaced: NetworkPolicy Ingress
networking.k8s.io: call cluster: IngressClass
policy.networking.k8s.io: call cluster: AdminNetworkPolicy BaselineAdminNetworkPolicy ClusterNetworkPolicy
admissionregistration.k8s.io: call cluster: MutatingWebhookConfiguration
security.istio.io: call namespaced: AuthorizationPolicy RequestAuthentication PeerAuthentication
networking.istio.io: call namespaced: VirtualService DestinationRule Gateway=IstioGateway ServiceEntry Sidecar
networking.istio.io: call namespaced: WorkloadEntry=Workload EnvoyFilter
extensions.istio.io: call namespaced: WasmPlugin TrafficExtension
gateway.networking.k8s.io: call cluster: GatewayClass
gateway.networking.k8s.io: call namespaced: Gateway HTTPRoute GRPCRoute TLSRoute TCPRoute UDPRoute
gateway.networking.k8s.io: call namespaced: ReferenceGrant BackendTLSPolicy ListenerSet
gateway.networking.x-k8s.io: call namespaced: XListenerSet=ListenerSet
gateway.envoyproxy.io: call namespaced: SecurityPolicy ClientTrafficPolicy BackendTrafficPolicy EnvoyExtensionPolicy EnvoyPatchPolicy
traefik.io: call namespaced: IngressRoute Middleware
traefik.containo.us: call namespaced: IngressRoute Middleware
configuration.konghq.com: call namespaced: KongPlugin
configuration.konghq.com: call cluster: KongClusterPlugin
projectcontour.io: call namespaced: HTTPProxy
cloud.google.com: call namespaced: BackendConfig
rbac.authorization.k8s.io: rbac namespaced: Role RoleBinding
rbac.authorization.k8s.io: rbac cluster: ClusterRole ClusterRoleBinding
"""
CALL, RBAC = "call", "rbac"
"""What a kind is read for: calls between workloads, or requests to the API server."""
MESH_CONFIG = "MeshConfig"
"""The heading of Istio's mesh config: it is no kind, but a ConfigMap that everything of Istio's depends on."""


class ClusterKind(NamedTuple):
    """One kind as the API server has it."""

    group: str
    kind: str
    plural: str
    namespaced: bool
    heading: str
    """Its heading in the inventory; empty for controllers of pods, of which no answer depends where pods are known."""
    used_for: str

    @property
    def resource(self) -> str:
        """`authorizationpolicies.security.istio.io`, as kubectl and RBAC messages write it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


@cache
def cluster_kinds() -> tuple[ClusterKind, ...]:
    """The table, in the order in which it is read."""
    return tuple(_read())


def kinds_for(*uses: str) -> tuple[ClusterKind, ...]:
    """The kinds that are read for some uses (CALL, RBAC)."""
    return tuple(kind for kind in cluster_kinds() if kind.used_for in uses)


def _read() -> Iterator[ClusterKind]:
    yield from _of_the_table()
    for kind in foreign_kinds():
        plural = kind.plural or plural_of(kind.kind.lower())
        yield ClusterKind(kind.group, kind.kind, plural, kind.namespaced, kind.heading, CALL)


def _of_the_table() -> Iterator[ClusterKind]:
    for line in _TABLE.strip().splitlines():
        group, used, names = line.split(": ")
        use, scope = used.split()
        for word in names.split():
            kind, _, heading = word.partition("=")
            yield ClusterKind(
                group.strip('"'),
                kind,
                plural_of(kind.lower()),
                scope == "namespaced",
                "" if heading == "-" else heading or kind,
                use,
            )
