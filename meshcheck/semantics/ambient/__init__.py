"""Istio's ambient mode.

capture.py     whose calls ztunnel takes, and who speaks HBONE
client.py      the caller's ztunnel: where it sends a call
server.py      the stations of the called workload's ztunnel
peer.py        PeerAuthentication as ztunnel has it
policies.py    AuthorizationPolicies compiled for ztunnel
ztunnel.py     what ztunnel is told of an AuthorizationPolicy, and whether it holds for a connection
waypoints.py   which waypoint a Service or pod uses
waypoint.py    what a waypoint makes of a call
attachment.py  which policies a waypoint applies
waypoint_routes.py   the routes of a Service at its waypoint
"""
