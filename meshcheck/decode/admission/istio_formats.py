"""Formats of texts in Istio's CRDs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from meshcheck.decode.admission import formats
from meshcheck.decode.admission.faults import Faults, Format, at
from meshcheck.decode.admission.words import shown
from meshcheck.model.pattern import pattern

_UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_DURATION = pattern(r"[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+|[-+]?0")
_PART = pattern(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)")


def nanoseconds(text: str) -> int | None:
    """A duration as Go writes it (`1m30s`); None when it is none."""
    if len(text) > 100 or not _DURATION.fullmatch(text):
        return None
    total = sum(int(float(number) * _UNITS[unit]) for number, unit in _PART.findall(text))
    return -total if text.startswith("-") else total


def duration(text: str) -> str | None:
    """A duration of a millisecond or more."""
    length = nanoseconds(text)
    if length is None:
        return f"`{shown(text)}` is no duration such as `5s` or `1m30s`"
    return None if length >= 10**6 else f"`{shown(text)}` is shorter than a millisecond"


def no_star(text: str) -> str | None:
    """Values of selectors are compared as they are."""
    return f"`{shown(text)}`: selectors take no wildcards" if "*" in text else None


def keys_plain(value: dict[str, Any]) -> Faults:
    """Keys of selectors."""
    for key in value:
        if not key:
            return at("a label's key must not be empty")
        if said := no_star(key):
            return at(said, key)
    return None


def http_url(text: str) -> str | None:
    """An address of keys."""
    from urllib.parse import urlsplit

    try:
        scheme = urlsplit(text).scheme
    except ValueError:
        return f"`{shown(text)}` is no URL"
    return None if scheme in ("http", "https") else f"`{shown(text)}` must begin with `http://` or `https://`"


def base64(text: str) -> str | None:
    """Bytes in JSON."""
    return None if re.fullmatch(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?", text) else "is not base64"


FORMATS: Mapping[str, Format] = {
    "base64": base64,
    "no_lone_star": lambda text: "`*` alone is no host of a ServiceEntry" if text == "*" else None,
    "duration": duration,
    "no_star": no_star,
    "http_url": http_url,
    "group": formats.matching(rf"|{formats.SUBDOMAIN}", "an API group"),
    "kind": formats.matching(r"[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?", "a kind"),
    "header": formats.matching(r"[-_A-Za-z0-9]+", "a header's name: letters, digits, `-` and `_`"),
}
