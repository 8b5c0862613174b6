"""Contour: HTTPProxy.

conditions.py   what a route or an include asks of a request
validity.py     HTTPProxies that Contour does not serve
routes.py       the routes of a host, includes followed, in Envoy's order
guards.py       what keeps calls out
"""
