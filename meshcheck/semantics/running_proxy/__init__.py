"""A running proxy held against what the manifests mean: what is missing there, stale, changed, or added.

expected.py      the conditions that Istio makes of a policy
words.py         conditions in the words of a policy
differences.py   where the proxy differs
outbound.py      what the caller's proxy lacks for a call
decision.py      what the proxy, as it is, makes of one call
"""
