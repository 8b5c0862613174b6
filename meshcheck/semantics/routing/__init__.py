"""HTTP routing, the same at sidecars and gateways.

match.py      whether a request meets a match block
selection.py  which VirtualService holds a host, and which of its routes takes a request
answers.py    what a route makes of a request: rewrite, redirect, direct response, fault
"""
