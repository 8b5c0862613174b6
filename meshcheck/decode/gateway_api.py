"""Gateway API's routes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshcheck.model.gateway_api import AttachedRoute
from meshcheck.model.objects import Meta


def decode_route(value: Mapping[str, Any], meta: Meta) -> AttachedRoute:
    """An HTTPRoute or GRPCRoute: its parents that are Services."""
    parents = (value.get("spec") or {}).get("parentRefs") or ()
    return AttachedRoute(meta, tuple((p.get("namespace") or meta.namespace, p["name"]) for p in parents if p.get("kind") == "Service"))
