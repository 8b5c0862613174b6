"""What the data planes do, as pure functions of the World and a question.

world/            the World: indexes, sidecars, services and their pods
network_policy/   layers 3 and 4: NetworkPolicy and its admin tiers, and policies of network plugins
outbound/         the caller's sidecar: scope, routes, TLS towards the server
authentication/   mTLS at the server, and tokens
authorization/    AuthorizationPolicy
tracing/          the stations in the data plane's order, and the verdict
"""
