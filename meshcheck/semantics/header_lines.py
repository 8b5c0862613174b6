"""The values of a request header as Envoy compares them with conditions.

Source: envoyproxy/envoy:source/common/http/header_utility.cc (each line by itself since 1.37.1), envoy/http/header_map.h
(`INLINE_REQ_HEADERS`: lines of these are one value), and the headers that extensions register; asked of Envoy 1.40.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_ONE_VALUE = frozenset(
    (
        *("accept", "accept-encoding", "access-control-request-headers", "access-control-request-method", "authorization", "cache-control"),
        *("content-encoding", "content-type", "expect", "grpc-accept-encoding", "grpc-timeout", "if-match", "if-modified-since"),
        *("if-none-match", "if-range", "if-unmodified-since", "origin", "pragma", "referer", "user-agent", "via", "x-client-trace-id"),
        *("x-forwarded-host", "x-forwarded-port"),
    )
)


def is_one_value(name: str) -> bool:
    """Whether the lines of a header (lower case) are compared as one value."""
    return name in _ONE_VALUE


def values_of(headers: Mapping[str, Sequence[str]], name: str) -> Sequence[str] | None:
    """What a condition on a header is tested with: one value for each line, or all lines as one; None without the header."""
    lower = name.lower()
    lines = headers.get(lower)
    return [",".join(lines)] if lines and lower in _ONE_VALUE else lines
