"""The caller's sidecar.

scope.py    the Sidecar resource: which hosts it knows, what it does with others
tls.py      DestinationRules and automatic mTLS: how it talks to the server
arrival.py  the call as it reaches the server
client.py   where it sends the call, or how it answers by itself
"""
