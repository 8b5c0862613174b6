"""Istio's string matching, compiled to functions of one text.

Sources: istio/istio:pilot/pkg/security/authz/matcher/string.go:StringMatcherWithPrefix, header.go, template.go.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from meshcheck.model.pattern import pattern
from meshcheck.semantics.watching import ANY, SOME, Pattern

Match = Callable[[str], bool]
_TEMPLATE_SEGMENT = {"{*}": r"[A-Za-z0-9\-._~%!$&'()+,;:@=*]+", "{**}": r"[A-Za-z0-9\-._~%!$&'()+,;:@=*/]*"}
_PARTS = pattern(r"(\{\*\*?\})")


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
    whole = re.compile(template_expression(pattern))
    return lambda text: whole.fullmatch(text) is not None


def template_expression(pattern: str) -> str:
    """The regular expression that a path with `{*}` and `{**}` stands for."""
    return "".join(_TEMPLATE_SEGMENT.get(part) or re.escape(part) for part in _PARTS.split(pattern))


def text_pattern(pattern: str, *, empty_counts: bool = False) -> Pattern:
    """What `compile_text` compares with, for who watches."""
    if pattern == "*":
        return ANY if empty_counts else SOME
    if pattern.startswith("*"):
        return Pattern("suffix", pattern[1:])
    return Pattern("prefix", pattern[:-1]) if pattern.endswith("*") else Pattern("exact", pattern)


def host_pattern(pattern: str) -> Pattern:
    """What `compile_host` compares with."""
    return text_pattern(pattern.lower(), empty_counts=True)._replace(fold=True)


def path_pattern(pattern: str) -> Pattern:
    """What `compile_path` compares with."""
    return Pattern("template", pattern) if "{*}" in pattern or "{**}" in pattern else text_pattern(pattern)
