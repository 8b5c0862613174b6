"""Kinds of network plugins and other meshes that may refuse a connection, or open what NetworkPolicies refuse: one table.

`group: enforcer ends effect scope: Kind[=heading] …`. Kinds of one name meet in several groups, so the heading in the inventory tells them
apart. `enforcer` is `plugin`, or the container that refuses: those policies say nothing of pods without it. `ends`: whose policies are
asked; `outside` is the caller for what is no pod; `-` refuses nothing by itself, others name it. `effect`: whether it may let through
what a NetworkPolicy refuses (`opens`), because the rules of both add up, or because it is asked before them; or can only refuse as well.

Sources: cilium/cilium:pkg/k8s/apis/cilium.io/v2; projectcalico/calico:api/pkg/apis/projectcalico/v3;
antrea-io/antrea:docs/antrea-network-policy.md; ovn-org/ovn-kubernetes:go-controller/pkg/crd/egressfirewall/v1/types.go;
openshift/api:network/v1/types.go; the manuals of GKE (FQDNNetworkPolicy) and EKS (ApplicationNetworkPolicy, SecurityGroupPolicy);
vmware-tanzu/nsx-operator:pkg/apis/legacy; linkerd/linkerd2:charts/linkerd-crds/templates/policy;
kumahq/kuma:pkg/plugins/policies/meshtrafficpermission; hashicorp/consul-k8s:control-plane/api/v1alpha1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from meshcheck.model.record import NamedTuple

_TABLE = """
cilium.io: plugin both opens namespaced: CiliumNetworkPolicy
cilium.io: plugin both opens cluster: CiliumClusterwideNetworkPolicy
cilium.io: plugin - opens cluster: CiliumCIDRGroup
projectcalico.org: plugin both opens namespaced: NetworkPolicy=CalicoNetworkPolicy
projectcalico.org: plugin both opens cluster: GlobalNetworkPolicy=CalicoGlobalNetworkPolicy
projectcalico.org: plugin - opens namespaced: NetworkSet=CalicoNetworkSet
projectcalico.org: plugin - opens cluster: GlobalNetworkSet=CalicoGlobalNetworkSet Tier=CalicoTier
projectcalico.org: plugin - opens cluster: HostEndpoint=CalicoHostEndpoint FelixConfiguration
crd.projectcalico.org: plugin both opens namespaced: NetworkPolicy=CalicoNetworkPolicy
crd.projectcalico.org: plugin both opens cluster: GlobalNetworkPolicy=CalicoGlobalNetworkPolicy
crd.projectcalico.org: plugin - opens namespaced: NetworkSet=CalicoNetworkSet
crd.projectcalico.org: plugin - opens cluster: GlobalNetworkSet=CalicoGlobalNetworkSet Tier=CalicoTier
crd.projectcalico.org: plugin - opens cluster: HostEndpoint=CalicoHostEndpoint FelixConfiguration
crd.antrea.io: plugin both opens namespaced: NetworkPolicy=AntreaNetworkPolicy
crd.antrea.io: plugin both opens cluster: ClusterNetworkPolicy=AntreaClusterNetworkPolicy
k8s.ovn.org: plugin outside refuses namespaced: EgressFirewall
network.openshift.io: plugin outside refuses namespaced: EgressNetworkPolicy
networking.gke.io: plugin caller opens namespaced: FQDNNetworkPolicy
networking.k8s.aws: plugin both opens namespaced: ApplicationNetworkPolicy
networking.k8s.aws: plugin both opens cluster: ClusterNetworkPolicy=AmazonClusterNetworkPolicy
vpcresources.k8s.aws: plugin both opens namespaced: SecurityGroupPolicy
crd.nsx.vmware.com: plugin both opens namespaced: SecurityPolicy=NsxSecurityPolicy
policy.linkerd.io: linkerd-proxy callee refuses namespaced: Server=LinkerdServer ServerAuthorization=LinkerdServerAuthorization
policy.linkerd.io: linkerd-proxy callee refuses namespaced: AuthorizationPolicy=LinkerdAuthorizationPolicy
policy.linkerd.io: linkerd-proxy outside refuses namespaced: EgressNetwork=LinkerdEgressNetwork
kuma.io: kuma-sidecar callee refuses cluster-wide: MeshTrafficPermission
kuma.io: kuma-sidecar callee refuses cluster: TrafficPermission
consul.hashicorp.com: consul-dataplane callee refuses cluster-wide: ServiceIntentions/serviceintentions
"""
EVALUATED = frozenset(["cilium.io", "projectcalico.org", "crd.projectcalico.org"])
PLUGIN = "plugin"
BOTH, OUTSIDE, CALLER, CALLEE = "both", "outside", "caller", "callee"


class ForeignKind(NamedTuple):
    """One kind. `everywhere`: its objects matter to pods of all namespaces, also where they have a namespace themselves."""

    group: str
    kind: str
    plural: str
    """Empty where it is the usual one."""
    heading: str
    namespaced: bool
    everywhere: bool
    enforcer: str
    ends: str
    opens: bool

    @property
    def is_evaluated(self) -> bool:
        """Whether what it decides is known here: then it has a reader of its own."""
        return self.group in EVALUATED


@cache
def foreign_kinds() -> tuple[ForeignKind, ...]:
    """The table."""
    return tuple(_read())


@cache
def foreign_headings() -> Mapping[str, ForeignKind]:
    """Heading → kind; of a kind that has two groups, the first."""
    found: dict[str, ForeignKind] = {}
    for kind in foreign_kinds():
        found.setdefault(kind.heading, kind)
    return found


def _read() -> Iterator[ForeignKind]:
    for line in _TABLE.strip().splitlines():
        group, used, names = line.split(": ")
        enforcer, ends, effect, scope = used.split()
        for word in names.split():
            name, _, heading = word.partition("=")
            kind, _, plural = name.partition("/")
            everywhere = scope != "namespaced"
            yield ForeignKind(group, kind, plural, heading or kind, scope != "cluster", everywhere, enforcer, ends, effect == "opens")
