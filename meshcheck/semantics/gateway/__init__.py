"""What Istio's gateway pods make of calls that arrive.

pods.py              which pods are gateways, and which Gateways they serve
servers.py           the servers of all these Gateways, merged by port, and which one takes a connection
virtual_services.py  which VirtualServices a gateway sees
virtual_hosts.py     the routes of a server by host
layer4.py            which TCP and TLS routes are for a server
"""
