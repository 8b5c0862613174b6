"""Who is calling: the certificate of the connection and the token of the request.

peer.py       PeerAuthentication: the mTLS mode of a port, and what a connection meets there
requests.py   RequestAuthentication: which token is looked at where, and the answer to a bad one
tokens.py     one token: its parts, its times, its audience
keys.py       JSON Web Keys and signatures
"""
