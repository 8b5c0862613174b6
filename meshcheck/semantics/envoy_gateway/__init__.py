"""Envoy Gateway: what its policies add to a route of Gateway API.

attachment.py    which policies count for a listener and a route
filters.py       the filters of a SecurityPolicy, in the order in which Envoy runs them
credentials.py   API keys, basic authentication
tokens.py        JWT
authorization.py rules, first match first
client.py        which address counts as the client's
"""
