"""Istio's ambient mode, as far as manifests decide it; rules rest on it, the trace engine does not yet.

waypoints.py   which waypoint a Service or pod uses
ztunnel.py     what ztunnel is told of an AuthorizationPolicy, and whether it holds for a connection
"""
