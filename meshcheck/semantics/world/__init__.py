"""The World: what is known of a cluster, indexed for questions; immutable, with answers kept once computed.

world.py      the World and its indexes
tables.py     its tables
sidecars.py   whether a workload has a sidecar
injection.py  who puts sidecars into pods that are created: webhooks, and Istio's injector
hosts.py      which Service, ServiceEntry or address a name stands for
names.py      "did you mean": names that do not exist
"""

from meshcheck.semantics.world.world import World

__all__ = ["World"]
