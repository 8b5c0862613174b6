"""Annotations of ingress-nginx as its parser reads them: what is not valid is not there, and often costs more than the one setting.

Source: kubernetes/ingress-nginx:internal/ingress/annotations/parser/main.go, parser/validators.go, and the parser of each annotation.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from meshcheck.model.ingress import Ingress
from meshcheck.model.pattern import pattern
from meshcheck.semantics.addresses import parse_block

PREFIX = "nginx.ingress.kubernetes.io/"
TRUE = frozenset(["1", "t", "T", "TRUE", "true", "True"])
FALSE = frozenset(["0", "f", "F", "FALSE", "false", "False"])

_PLAIN = r"\-._~a-zA-Z0-9/:"
_URL = ",:?&="
_REGEX = re.escape("^$[](){}*+?|&=\\")
_BASIC = rf"[{_PLAIN}]*"
_HEADERS = r"[A-Za-z0-9-_, ]*"

Valid = Callable[[str], bool]


def _like(text: str, *, spaces: bool = False) -> Valid:
    """Texts that a pattern matches as a whole; blanks do not count unless `spaces`."""
    whole = pattern(text)
    return lambda text: whole.fullmatch(text if spaces else text.replace(" ", "")) is not None and "\r" not in text and "\n" not in text


def _flag(text: str) -> bool:
    return text in TRUE or text in FALSE


def _number(text: str) -> bool:
    return re.fullmatch(r"[+-]?[0-9]+", text) is not None


def _blocks(text: str) -> bool:
    return all(parse_block(part.strip()) is not None for part in text.split(","))


def _names(text: str) -> bool:
    return all(re.fullmatch(rf"[{_PLAIN}{_REGEX}]*", part.strip()) for part in text.split(","))


def _common_name(text: str) -> bool:
    if not text.startswith("CN="):
        return False
    try:
        re.compile(text[3:])
    except re.error:
        return False
    return True


def _options(*allowed: str) -> Valid:
    return lambda text: text.strip() in allowed


_RULES: dict[str, Valid] = {
    "allowlist-source-range": _blocks,
    "denylist-source-range": _blocks,
    "limit-allowlist": _blocks,
    "auth-type": lambda text: "basic" in text or "digest" in text,
    "auth-secret": _like(_BASIC),
    "auth-secret-type": lambda text: "auth-file" in text or "auth-map" in text,
    "auth-realm": _like(rf"[{_PLAIN} ]*", spaces=True),
    "auth-url": _like(rf"[{_PLAIN}, {_URL}$]*"),
    "auth-signin": _like(rf"[{_PLAIN}, {_URL}$]*"),
    "auth-method": _like("GET|HEAD|POST|PUT|PATCH|DELETE|CONNECT|OPTIONS|TRACE"),
    "auth-response-headers": _like(_HEADERS),
    "auth-proxy-set-headers": _like(_BASIC),
    "auth-request-redirect": _like(rf"[{_PLAIN}{_URL}]*"),
    "auth-always-set-cookie": _flag,
    "auth-cache-duration": _like(rf"[{_PLAIN}, ]*", spaces=True),
    "auth-tls-secret": _like(_BASIC),
    "auth-tls-verify-client": _like("on|off|optional|optional_no_ca"),
    "auth-tls-error-page": _like(r"(@[A-Za-z0-9_-]+|((https?://)?[A-Za-z0-9\-.]+(:\d+)?)?(/[A-Za-z0-9\-_.]+)*/?)"),
    "auth-tls-pass-certificate-to-upstream": _flag,
    "auth-tls-match-cn": _common_name,
    "app-root": _like(rf"/?[{_PLAIN}$]*", spaces=True),
    "backend-protocol": lambda text: text.strip().upper() in ("AUTO_HTTP", "HTTP", "HTTPS", "GRPC", "GRPCS", "FCGI"),
    "canary": _flag,
    "canary-weight": _number,
    "canary-weight-total": _number,
    "canary-by-header": _like(_BASIC),
    "canary-by-header-value": _like(_BASIC),
    "canary-by-header-pattern": _like(rf"[{_PLAIN}{_REGEX}]*", spaces=True),
    "canary-by-cookie": _like(_BASIC),
    "cors-allow-credentials": _flag,
    "cors-allow-headers": _like(_HEADERS),
    "cors-allow-methods": _like(r"([A-Za-z]+,?\s?)+"),
    "cors-allow-origin": _like(r"((((([a-z]+://)?(\*\.)?[A-Za-z0-9\-.]*(:\d+)?,?)|null)+)|\*)?"),
    "cors-expose-headers": _like(r"(([A-Za-z0-9\-_]+|\*),?\s?)+"),
    "cors-max-age": _number,
    "custom-headers": _like(_BASIC),
    "custom-http-errors": _like(r"(?:[4,5]\d{2},?)*"),
    "default-backend": _like(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?", spaces=True),
    "disable-proxy-intercept-errors": _flag,
    "enable-cors": _flag,
    "enable-global-auth": _flag,
    "enable-modsecurity": _flag,
    "force-ssl-redirect": _flag,
    "from-to-www-redirect": _flag,
    "http2-push-preload": _flag,
    "limit-connections": _number,
    "limit-rpm": _number,
    "limit-rps": _number,
    "permanent-redirect": _like(rf"[{_PLAIN}{_URL}]*", spaces=True),
    "permanent-redirect-code": _number,
    "preserve-trailing-slash": _flag,
    "proxy-body-size": _like(r"(?i:\d+[bkmg]?)"),
    "proxy-ssl-secret": _like(_BASIC),
    "relative-redirects": _flag,
    "rewrite-target": _like(rf"/?[{_PLAIN}$]*", spaces=True),
    "satisfy": _options("any", "all"),
    "server-alias": _names,
    "service-upstream": _flag,
    "ssl-passthrough": _flag,
    "ssl-redirect": _flag,
    "temporal-redirect": _like(rf"[{_PLAIN}{_URL}]*", spaces=True),
    "temporal-redirect-code": _number,
    "upstream-vhost": lambda text: _names(text.strip()) and "," not in text,
    "use-port-in-redirects": _flag,
    "use-regex": _flag,
    "x-forwarded-prefix": _like(rf"/?[{_PLAIN}$]*"),
}
_ALIASES = {"allowlist-source-range": "whitelist-source-range", "limit-allowlist": "limit-whitelist"}


def name_in_use(ingress: Ingress, name: str) -> str:
    """The name under which an annotation is written: its own, or the older one where its own has no value."""
    notes, older = ingress.meta.annotations, _ALIASES.get(name)
    return older if older and not notes.get(PREFIX + name) and notes.get(PREFIX + older) else name


def note(ingress: Ingress, name: str) -> str | None:
    """An annotation's text as it is written; None when it is not there."""
    return ingress.meta.annotations.get(PREFIX + name_in_use(ingress, name))


def is_valid(ingress: Ingress, name: str) -> bool:
    """Whether the controller would read an annotation: it is not there, it is empty, or its value is of the right form."""
    text = note(ingress, name)
    return not text or name not in _RULES or _RULES[name](text)


def text(ingress: Ingress, name: str) -> str | None:
    """An annotation's value; None when it is missing, empty or not valid."""
    found = note(ingress, name)
    return "\n".join(line.strip() for line in found.split("\n")) or None if found and is_valid(ingress, name) else None


def flag(ingress: Ingress, name: str, default: bool = False) -> bool:
    """A switch; the default when it is missing or not one of Go's words for true and false."""
    found = note(ingress, name)
    return default if found is None or not _flag(found) else found in TRUE


def number(ingress: Ingress, name: str, default: int) -> int:
    """A whole number; the default when it is missing or none."""
    found = note(ingress, name)
    return int(found) if found and _number(found) else default
