"""The live cluster as a source: what its API server holds, kind by kind, and what of it could not be read.

access.py         who asks which cluster, and the way in that comes of it
login.py          how to get in: flags, kubeconfig, in-cluster account (the only module that imports `kubernetes`)
kubeconfig.py     files put together, one context chosen, flags over it
connection.py     the official client, told all that; exec_plugin.py, egress_proxy.py, impersonation.py: what it lacks
port_forward.py   a port of a pod
unreachable.py    connections that fail, in words; expiry.py: credentials that ran out
api.py            one API server: requests with patience, raw JSON, streams for watches
discovery.py      which kinds it serves, and in which version
lists.py          all objects of a kind, page by page, consistent
reading.py        the kinds that a question needs, in parallel, into a Reading with its coverage
settings.py       where Istio keeps its settings, and Secrets that were asked for by name
"""

from meshcheck.load.cluster.access import Login
from meshcheck.load.cluster.api import Api, ApiError
from meshcheck.load.cluster.discovery import Discovery, discover
from meshcheck.load.cluster.lists import Listed, list_objects
from meshcheck.load.cluster.login import connect, default_namespace
from meshcheck.load.cluster.reading import Wanted, read_cluster

__all__ = [
    "Api",
    "ApiError",
    "Discovery",
    "Listed",
    "Login",
    "Wanted",
    "connect",
    "default_namespace",
    "discover",
    "list_objects",
    "read_cluster",
]
