"""Names and values of headers in routes.

Source: istio/istio:pkg/config/validation/validation.go and header_value_validator.go.
"""

from __future__ import annotations

from typing import Any

from meshcheck.decode.admission.faults import Faults, at
from meshcheck.decode.admission.words import shown
from meshcheck.model.pattern import pattern

TOKEN = pattern(r"[!#$%&'*+\-.^_`|~A-Za-z0-9]+")
_PSEUDO = frozenset([":method", ":scheme", ":authority", ":path", ":status"])
_CLAIMS = "@request.auth.claims"
_CONTROL = pattern("[\x00-\x08\n-\x1f\x7f]")
_VARIABLE = pattern(r'%%|%[^%(]*(?:\((?: *\[(?:[^\\\]"]|"(?:[^"\\)]|\\.)*")*\] *\)|(?:[^\\)]|\\.)*\)) *)?%')


def is_claim(name: str) -> bool:
    """Whether a header match is a match of a token's claim: `@request.auth.claims.group`."""
    if not name.lower().startswith(_CLAIMS):
        return False
    rest = name[len(_CLAIMS) :]
    return (rest.startswith(".") and len(rest) > 1) or (rest.startswith("[") and rest.endswith("]") and len(rest) > 2)


def match_name(name: str) -> str | None:
    """A header that is matched."""
    if is_claim(name) or name in _PSEUDO or TOKEN.fullmatch(name):
        return None
    return f"`{shown(name)}` is no header name" if name else "a header needs a name"


def is_authority(name: str) -> bool:
    """Whether it is the host."""
    return name.lower() in (":authority", "host")


def changes(headers: dict[str, Any] | None) -> Faults:
    """Headers that a route adds, sets and removes."""
    for side in ("request", "response"):
        for action, values in ((headers or {}).get(side) or {}).items():
            for name in values:
                host = side == "request" and action != "remove" and is_authority(name)
                if not name or ((name.startswith(":") or name.lower() == "host") and not host):
                    return at(f"`{shown(name)}` cannot be changed here" if name else "a header needs a name", "headers", side, action)
                if action != "remove" and (said := _value(values[name])):
                    return at(said, "headers", side, action, name)
    return None


def _value(text: str) -> str | None:
    if _CONTROL.search(text):
        return "has control characters"
    return f"`{shown(text)}`: `%` begins a variable, as in `%REQ(:path)%`; a plain one is `%%`" if "%" in _VARIABLE.sub("", text) else None
