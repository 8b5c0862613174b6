"""How calls enter: through gateways and ingress controllers.

find.py     which entry points a call may take
client.py   which address an entry point sees as the client's
istio.py    what a gateway of Istio makes of a call, up to the workload that it sends it to
"""

from meshcheck.semantics.entry.find import entries
from meshcheck.semantics.entry.passed import Entry, Passed

__all__ = ["Entry", "Passed", "entries"]
