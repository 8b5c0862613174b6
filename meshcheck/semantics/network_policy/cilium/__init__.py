"""CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy, together with NetworkPolicies as Cilium joins them.

identities.py   labels of identities, and selectors
names.py        patterns of DNS names, and what resolvers ask for
peers.py        whether a peer of a rule means an end
requests.py     rules for HTTP and DNS
policies.py     the policies of a World, by pod
evaluate.py     the verdict of one direction
explanation.py  why a direction is closed
"""

from meshcheck.semantics.network_policy.cilium.connection import Connection
from meshcheck.semantics.network_policy.cilium.evaluate import joined, of_a_node
from meshcheck.semantics.network_policy.cilium.peers import Surroundings
from meshcheck.semantics.network_policy.cilium.policies import CiliumSet

__all__ = ["CiliumSet", "Connection", "Surroundings", "joined", "of_a_node"]
