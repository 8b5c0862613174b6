"""A call, station by station, in the order of the data plane.

caller.py    who calls: the workload, its sidecar, its identity
target.py    what is called: the workloads behind a name
server.py    the stations at the called workload: mTLS, tokens, authorization
network.py   the stations of the network: name resolution and network policies
symptoms.py  what the caller sees of a refusal
trace.py     all of it put together
"""
