"""Istio's string matching, compiled to functions of one text.

Sources: istio/istio:pilot/pkg/security/authz/matcher/string.go:StringMatcherWithPrefix, header.go, template.go.
"""

from __future__ import annotations

import re
from collections.abc import Callable

Match = Callable[[str], bool]
_TEMPLATE_SEGMENT = {"{*}": r"[A-Za-z0-9\-._~%!$&'()+,;:@=*]+", "{**}": r"[A-Za-z0-9\-._~%!$&'()+,;:@=*/]*"}
_PARTS = re.compile(r"(\{\*\*?\})")


def compile_text(pattern: str, *, empty_counts: bool = False) -> Match:
    """`*` for any text, `abc*` prefix, `*abc` suffix, else equal. A star elsewhere is a plain character.

    `empty_counts`: whether `*` is satisfied by the empty text (methods, hosts and headers: presence is enough).
    """
    if pattern == "*":
        return (lambda _: True) if empty_counts else bool
    if pattern.startswith("*"):
        tail = pattern[1:]
        return lambda text: text.endswith(tail)
    if pattern.endswith("*"):
        head = pattern[:-1]
        return lambda text: text.startswith(head)
    return pattern.__eq__


def compile_host(pattern: str) -> Match:
    """A host: as text, ignoring case."""
    match = compile_text(pattern.lower(), empty_counts=True)
    return lambda text: match(text.lower())


def compile_path(pattern: str) -> Match:
    """A path: a template when it holds `{*}` or `{**}`, else as text."""
    if "{*}" not in pattern and "{**}" not in pattern:
        return compile_text(pattern)
    expression = "".join(_TEMPLATE_SEGMENT.get(part) or re.escape(part) for part in _PARTS.split(pattern))
    whole = re.compile(expression)
    return lambda text: whole.fullmatch(text) is not None
