"""NetworkPolicy and its admin tiers, on layers 3 and 4.

peers.py        whether a peer of a rule means an endpoint
ports.py        whether a rule covers a port
admin.py        rules of the admin tiers
calico/         policies as Calico enforces them
evaluate.py     tiers, isolation and the verdict of one direction
explanation.py  why a direction is closed: which rules nearly matched
others.py       policies of network plugins and other meshes that are not evaluated
side.py         the answer of one direction
travelling.py   what travels over a connection
cilium/         policies of Cilium
"""

from meshcheck.semantics.network_policy.evaluate import Plugin, PolicySet, evaluate
from meshcheck.semantics.network_policy.peers import Endpoint
from meshcheck.semantics.network_policy.side import Side

__all__ = ["Endpoint", "Plugin", "PolicySet", "Side", "evaluate"]
