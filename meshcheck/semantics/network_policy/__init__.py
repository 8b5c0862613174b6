"""NetworkPolicy and its admin tiers, on layers 3 and 4.

peers.py        whether a peer of a rule means an endpoint
ports.py        whether a rule covers a port
evaluate.py     tiers, isolation and the verdict of one direction
explanation.py  why a direction is closed: which rules nearly matched
"""

from meshcheck.semantics.network_policy.evaluate import PolicySet, Side, evaluate
from meshcheck.semantics.network_policy.peers import Endpoint

__all__ = ["Endpoint", "PolicySet", "Side", "evaluate"]
