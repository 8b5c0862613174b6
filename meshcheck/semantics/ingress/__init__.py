"""Ingress as ingress-nginx serves it.

annotations.py  annotations, as the controller's parser reads them
controller.py   the controller's pods, its options and its ConfigMap
objects.py      which Ingresses it serves, and which it leaves aside
flaws.py        annotations that make locations answer 503 or hosts 403
servers.py      the servers of nginx.conf, and their locations
locations.py    the location that takes a path, and what becomes of the path
access.py       addresses: which one is compared, and with which lists
cors.py         preflights and headers
redirects.py    redirects, error pages, sizes
canary.py       which Service gets the call
others/         other controllers: the settings that refuse
"""
