"""May this user do that to the Kubernetes API? What RBAC answers, and why.

rules.py         does a rule cover a request, field by field
aggregation.py   the rules of ClusterRoles that are sums of others
permissions.py   all bindings, indexed; the decision on a request
near_misses.py   what would almost have granted a request
who_can.py       everybody who may
requests.py      the request behind a method and a URL, and behind impersonation headers
message.py       the API server's own words, written and read
"""
