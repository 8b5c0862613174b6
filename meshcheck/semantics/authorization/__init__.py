"""AuthorizationPolicy at one proxy.

attributes.py   what the proxy knows of a call
strings.py      exact, prefix, suffix and presence matching; path templates
peers.py        principals, namespaces, service accounts, trust domains
claims.py       attributes of a verified token
tests.py        one field of a rule, compiled
policies.py     policies compiled for HTTP or TCP
evaluate.py     CUSTOM, AUDIT, DENY, ALLOW and the verdict
"""
