"""Conditions of routes and includes, merged along the includes.

Source: projectcontour/contour:internal/dag/conditions.go, internal/envoy/v3/route.go (headerMatcher, queryParamMatcher).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from meshcheck.model.istio_networking import HttpMatch, StringMatch
from meshcheck.semantics.nginx.patterns import is_wrong

Condition = Mapping[str, Any]
_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
"""What a star stands for: one label, in lower case."""
_PATHS = ("prefix", "exact", "regex")


def flaw(conditions: Sequence[Condition], include: bool = False) -> str | None:
    """Why a block of conditions is not valid; None when it is."""
    given = [(kind, str(c[kind])) for c in conditions for kind in _PATHS if c.get(kind)]
    for kind, text in given:
        if include and kind != "prefix":
            return f"{kind} conditions are not allowed in includes"
        if not text.startswith("/"):
            return f"{kind} condition `{text}` must start with /"
        if kind == "regex" and is_wrong(text):
            return f"`{text}` is no regular expression"
    if len(given) > 1:
        return "more than one condition on the path"
    return _of_headers(conditions)


def _of_headers(conditions: Sequence[Condition]) -> str | None:
    """Contradictions between conditions on one header, and texts that are no regular expressions."""
    seen: set[tuple[str, str, str]] = set()
    opposite = {"present": "notpresent", "exact": "notexact", "contains": "notcontains"}
    opposite |= {value: key for key, value in opposite.items()}
    for header in (c["header"] for c in conditions if c.get("header")):
        name, kind, value = str(header.get("name") or "").lower(), *_kind(header)
        if kind == "regex" and is_wrong(value):
            return f"`{value}` is no regular expression"
        if (name, opposite.get(kind, ""), value) in seen or (kind == "exact" and any(s[:2] == (name, "exact") for s in seen)):
            return f"conditions on header {name} that contradict each other"
        seen.add((name, kind, value))
    return None


def _kind(header: Condition) -> tuple[str, str]:
    for kind in ("present", "notpresent", "contains", "notcontains", "exact", "notexact", "regex"):
        if header.get(kind):
            return kind, "" if header[kind] is True else str(header[kind])
    return "", ""


def merged(conditions: Sequence[Condition], host: str) -> HttpMatch:
    """All conditions from the root to a route as one match of Envoy's."""
    text = "".join(str(next((c[kind] for kind in _PATHS if c.get(kind)), "")) for c in conditions)
    text = re.sub("//+", "/", text) or "/"
    last = conditions[-1] if conditions else {}
    kind = "regex" if any(c.get("regex") for c in conditions) else "exact" if last.get("exact") and not last.get("prefix") else "prefix"
    needed, unwanted = _headers(c["header"] for c in conditions if c.get("header"))
    authority = StringMatch("regex", _LABEL + re.escape(host[1:]) + r"(:[0-9]+)?") if host.startswith("*.") else None
    query = tuple((str(q.get("name")), _query(q)) for q in (c["queryParameter"] for c in conditions if c.get("queryParameter")))
    return HttpMatch(StringMatch(kind, text), None, None, authority, needed, unwanted, query, None, (), {}, None, ())


def _headers(headers: Iterable[Condition]) -> tuple[tuple[tuple[str, StringMatch], ...], tuple[tuple[str, StringMatch], ...]]:
    """Those that must match, and those that must not: one that is not there does not match either, unless it counts as empty."""
    needed: list[tuple[str, StringMatch]] = []
    unwanted: list[tuple[str, StringMatch]] = []
    for header in headers:
        name, (kind, value) = str(header.get("name")), _kind(header)
        found = _text(kind.removeprefix("not"), value, header.get("ignoreCase") is True)
        (unwanted if kind.startswith("not") else needed).append((name, found))
        if kind in ("notexact", "notcontains") and header.get("treatMissingAsEmpty") is not True:
            needed.append((name, StringMatch("present", "")))
    return tuple(needed), tuple(unwanted)


def _text(kind: str, value: str, ignore_case: bool) -> StringMatch:
    if kind == "contains":
        return StringMatch("regex", ("(?is)" if ignore_case else "(?s)") + f".*{re.escape(value)}.*")
    return StringMatch(kind, value, ignore_case)


def _query(parameter: Condition) -> StringMatch:
    caseless = parameter.get("ignoreCase") is True
    for kind in ("exact", "prefix", "regex", "contains"):
        if parameter.get(kind):
            return _text(kind, str(parameter[kind]), caseless)
    if parameter.get("suffix"):
        return StringMatch("regex", ("(?is)" if caseless else "(?s)") + f".*{re.escape(str(parameter['suffix']))}")
    return StringMatch("present", "")
