"""Ingress controllers other than ingress-nginx: the settings that refuse, each as a station.

asked.py     the request, and the stations' common parts
controllers.py  which controller serves an Ingress
traefik.py   middlewares
kong.py      plugins
clouds.py    AWS and GKE load balancers, HAProxy
"""
