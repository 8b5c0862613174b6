"""Asking as somebody else: the headers that say so.

Sources: kubernetes/client-go:transport/round_trippers.go:impersonatingRoundTripper, headerKeyEscape;
tools/clientcmd/client_config.go:ClientConfig (groups, uid and extra count with a user only).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_LEGAL = frozenset("!#$&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
"""What a header's name may hold, without the percent sign, which escapes."""


def headers_of(user: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """(name, value) of each header for `as`, `as-uid`, `as-groups` and `as-user-extra` of a user of a kubeconfig."""
    return tuple((name, _as_sent(value)) for name, value in _headers(user)) if user.get("as") else ()


def _headers(user: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "Impersonate-User", str(user["as"])
    if user.get("as-uid"):
        yield "Impersonate-Uid", str(user["as-uid"])
    for group in user.get("as-groups") or ():
        yield "Impersonate-Group", str(group)
    for key, values in (user.get("as-user-extra") or {}).items():
        for one in values or ():
            yield f"Impersonate-Extra-{_escaped(str(key))}", str(one)


def _escaped(key: str) -> str:
    return "".join(chr(b) if chr(b) in _LEGAL else f"%{b:02X}" for b in key.encode())


def _as_sent(text: str) -> str:
    """The bytes of UTF-8 as the characters that http.client makes the same bytes of again."""
    return text.encode().decode("latin-1")
