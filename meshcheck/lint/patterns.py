"""Values of policies as texts: what they look like, and a text that each of them matches."""

from __future__ import annotations

from meshcheck.model.pattern import pattern

_REGEX = pattern(r"^\^|\$$|\.\*|\.\+|\\[dwsDWSb./]|\[[^\]]*(?:-|\^)[^\]]*\][*+]?|\([^()]*\|[^()]*\)|\(\?")


def is_regex(value: str) -> bool:
    """Whether a text looks like a regular expression: anchors, `.*`, classes, alternatives. A lone star or dot does not count."""
    return _REGEX.search(value) is not None


def is_template(value: str) -> bool:
    """Whether a path is a template."""
    return "{*}" in value or "{**}" in value


def is_exact(value: str) -> bool:
    """Whether a text stands for itself only."""
    return not value.startswith("*") and not value.endswith("*") and not is_template(value)


def sample(value: str) -> str:
    """A text that a pattern matches."""
    if is_template(value):
        return value.replace("{**}", "x").replace("{*}", "x")
    if value == "*":
        return "x"
    return "x" + value[1:] if value.startswith("*") else value.removesuffix("*")


def covers(wide: str, narrow: str) -> bool:
    """Whether one pattern (exact, prefix, suffix or `*`) matches all that another one matches; templates cover only themselves."""
    if wide in (narrow, "*"):
        return True
    if is_template(wide) or is_template(narrow):
        return False
    if wide.startswith("*"):
        return narrow != "*" and not (narrow.endswith("*") and not narrow.startswith("*")) and narrow.endswith(wide[1:])
    if wide.endswith("*"):
        return not narrow.startswith("*") and narrow.removesuffix("*").startswith(wide[:-1])
    return False
