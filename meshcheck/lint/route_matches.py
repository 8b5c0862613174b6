"""Whether all requests that one match block of a VirtualService takes are taken by another one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshcheck.model.istio_networking import HttpMatch, StringMatch
from meshcheck.semantics.routing.match import is_catch_all


def covers(wide: HttpMatch | None, narrow: HttpMatch | None) -> bool:
    """Whether `wide` takes all that `narrow` takes, at every proxy and port. False where it is not certain.

    None stands for a route without match.
    """
    if wide is None:
        return True
    if narrow is None:
        return is_catch_all(wide) and not wide.gateways and wide.port is None
    texts = ((wide.path, narrow.path), (wide.method, narrow.method), (wide.scheme, narrow.scheme), (wide.authority, narrow.authority))
    return (
        all(_text_covers(a, b) for a, b in texts)
        and set(wide.headers) <= set(narrow.headers)
        and set(wide.without_headers) <= set(narrow.without_headers)
        and set(wide.query) <= set(narrow.query)
        and wide.port in (None, narrow.port)
        and (not wide.gateways or (bool(narrow.gateways) and set(narrow.gateways) <= set(wide.gateways)))
        and wide.source_labels.items() <= narrow.source_labels.items()
        and wide.source_namespace in (None, narrow.source_namespace)
    )


def covers_connections(wide: Mapping[str, Any], narrow: Mapping[str, Any]) -> bool:
    """Whether one raw match block of a TCP or TLS route takes all connections of another: each of its conditions is one of the other's.

    Lists are alternatives, and compared by their texts: `*.example.com` is not known to take in `a.example.com`.
    """

    def within(key: str) -> bool:
        one, other = wide[key], narrow.get(key)
        return one == other or (isinstance(one, list) and isinstance(other, list) and bool(other) and all(item in one for item in other))

    return all(within(key) for key, value in wide.items() if value not in (None, [], {}, ""))


def _text_covers(wide: StringMatch | None, narrow: StringMatch | None) -> bool:
    if wide is None or wide == narrow or wide.kind == "present" or (wide.kind, wide.value) in (("prefix", "/"), ("regex", ".*")):
        return True
    if narrow is None or narrow.kind not in ("exact", "prefix") or wide.kind not in ("exact", "prefix"):
        return False
    if narrow.ignore_case and not wide.ignore_case:
        return False
    one, other = (wide.value.lower(), narrow.value.lower()) if wide.ignore_case else (wide.value, narrow.value)
    return one == other and narrow.kind == "exact" if wide.kind == "exact" else other.startswith(one)
