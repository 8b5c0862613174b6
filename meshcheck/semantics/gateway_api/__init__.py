"""Gateway API: which routes are attached to which listeners, and what they mean.

classes.py     who serves a Gateway
listeners.py   the listeners of a Gateway and its ListenerSets, and which of them cannot be used
attachment.py  which routes a listener has, and why others are not attached
grants.py      references into other namespaces
conversion.py  rules of routes as routes of a proxy, in their order of precedence
config.py      all of it as the configuration of a gateway's pods
"""
