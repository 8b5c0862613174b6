"""Traefik: routers.

rule.py      the language of rules
routers.py   the routers that IngressRoutes and Ingresses make, and those that are dropped
"""
