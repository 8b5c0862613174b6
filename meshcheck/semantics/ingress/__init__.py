"""Ingress as ingress-nginx serves it.

controller.py  the controller's pods, its options and its ConfigMap
objects.py     which Ingresses it serves, and which it leaves aside
locations.py   the location that takes a path of a host
access.py      addresses: which one is compared, and with which lists
cors.py        preflights and headers
"""
