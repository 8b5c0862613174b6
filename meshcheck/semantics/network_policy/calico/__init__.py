"""Policies as Calico enforces them: tiers in their order; NetworkPolicies are in the tier `default`, admin policies in their own.

labels.py       the labels by which selectors know pods and sets of addresses
entities.py     what a rule says of one end of a connection, and whether it holds
rules.py        whether a rule means a connection
policies.py     the policies that are about a pod, in the order in which they are asked
evaluate.py     the walk through the tiers
explanation.py  why no rule means a connection
surroundings.py what policies are looked up in: sets of addresses, service accounts, Services, Felix's configuration
"""

from meshcheck.semantics.network_policy.calico.evaluate import Calico
from meshcheck.semantics.network_policy.calico.policies import CalicoSet
from meshcheck.semantics.network_policy.calico.surroundings import Surroundings

__all__ = ["Calico", "CalicoSet", "Surroundings"]
