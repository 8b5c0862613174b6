"""The upstreams of ingress-nginx: one for each Service and port, made by the first Ingress that names it.

Source: kubernetes/ingress-nginx:internal/ingress/controller/controller.go (createUpstreams, upstreamName).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from meshcheck.model.ingress import Backend, Ingress
from meshcheck.semantics.ingress.annotations import flag

Key = tuple[str, Backend]
"""Namespace and backend."""


def is_canary(ingress: Ingress) -> bool:
    """Whether an Ingress only takes a share of another one's calls."""
    return flag(ingress, "canary")


def taken_by_canaries(ingresses: Sequence[Ingress]) -> Mapping[Key, Ingress]:
    """The upstreams that canaries made, and which: no path leads there, be it of another Ingress.

    The first Ingress that names a backend makes its upstream; the last one whose default it is makes it anew.
    """
    makers: dict[Key, Ingress] = {}
    for ingress in ingresses:
        space = ingress.meta.namespace
        if ingress.default_backend is not None:
            makers[space, ingress.default_backend] = ingress
        for item in (item for rule in ingress.rules for item in rule.paths):
            if item.backend is not None:
                makers.setdefault((space, item.backend), ingress)
    return {key: ingress for key, ingress in makers.items() if is_canary(ingress)}
