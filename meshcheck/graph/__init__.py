"""The service-to-service graph; networkx is imported here and nowhere else.

calls.py   which calls are asked about, and what the trace engine says to them
build.py   the graph: workloads and the outside as nodes, calls as edges
group.py   namespaces as nodes, so that a thousand services stay readable
"""
