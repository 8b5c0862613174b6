"""Envoy's own configuration, as `/config_dump` of its admin port writes it.

dump.py         the dump: node, the inbound listener, its chains
routes.py       outbound routes and clusters
conditions.py   permissions and principals of RBAC
"""
