"""Whether a browser sends a preflight, and how it looks.

Source: the Fetch standard of WHATWG, sections "CORS-safelisted request-header" and "CORS-preflight fetch".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from meshcheck.model.pattern import pattern
from meshcheck.model.question import Question
from meshcheck.model.record import replace

SIMPLE_METHODS = frozenset(["GET", "HEAD", "POST"])
_NORMALISED = frozenset(["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"])
_BROWSERS_OWN = frozenset(
    (
        *("accept-charset", "accept-encoding", "access-control-request-headers", "access-control-request-method", "connection"),
        *("content-length", "cookie", "cookie2", "set-cookie", "date", "dnt", "expect", "host", "keep-alive", "origin", "referer", "te"),
        "trailer",
        *("transfer-encoding", "upgrade", "user-agent", "via", "x-forwarded-for"),
    )
)
"""Headers that a page cannot set, or that stand in questions for what proxies add."""
_SIMPLE_TYPES = frozenset(["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"])
_UNSAFE_BYTES = pattern(r'[\x00-\x08\x0a-\x1f"():<>?@\[\\\]{}\x7f]')
_LANGUAGE = pattern(r"[0-9A-Za-z *,\-.;=]*")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def method_of(question: Question) -> str:
    """The method as a browser sends it: only six of them are put into upper case."""
    upper = question.method.upper()
    return upper if upper in _NORMALISED else question.method


def target_origin(question: Question) -> str:
    """`scheme://host[:port]` of what is called."""
    scheme = "https" if question.protocol in ("https", "tls") else "http"
    host = question.host or question.target.host or ""
    name, colon, port = host.rpartition(":")
    if colon and port.isdigit():
        return f"{scheme}://{name}" if _DEFAULT_PORTS[scheme] == int(port) else f"{scheme}://{host}"
    number = question.target.port
    return f"{scheme}://{host}" if number in (None, _DEFAULT_PORTS[scheme]) else f"{scheme}://{host}:{number}"


def page_origin(question: Question) -> str:
    """The page's origin as a browser writes it: scheme and host in lower case, no default port, no path; `null` for pages without one."""
    written = (question.origin or "null").strip()
    scheme, separator, rest = written.partition("://")
    if not separator:
        return written
    scheme, host = scheme.lower(), rest.partition("/")[0].lower()
    name, colon, port = host.rpartition(":")
    return f"{scheme}://{name}" if colon and port == str(_DEFAULT_PORTS.get(scheme)) else f"{scheme}://{host}"


def is_cross_origin(question: Question) -> bool:
    """Whether the page's origin is another one."""
    return question.origin is not None and page_origin(question) != target_origin(question).lower()


def has_credentials(question: Question) -> bool:
    """Whether the request is made with `credentials: include`: a cookie goes with it."""
    return "cookie" in question.headers


def unsafe_headers(question: Question) -> tuple[str, ...]:
    """Names of the headers that need a preflight, sorted."""
    named: dict[str, Sequence[str]] = {name: lines for name, lines in question.headers.items() if not _is_browsers_own(name)}
    if question.jwt or question.claims is not None:
        named.setdefault("authorization", ("Bearer …",))
    unsafe = [name for name, lines in named.items() if not _is_safe(name, ", ".join(lines))]
    total = sum(len(", ".join(lines)) for name, lines in named.items() if name not in unsafe)
    return tuple(sorted(named if total > 1024 else unsafe))


def _is_browsers_own(name: str) -> bool:
    return name in _BROWSERS_OWN or name.startswith(("sec-", "proxy-"))


def _is_safe(name: str, value: str) -> bool:
    if len(value) > 128:
        return False
    if name == "accept":
        return not _UNSAFE_BYTES.search(value)
    if name in ("accept-language", "content-language"):
        return _LANGUAGE.fullmatch(value) is not None
    if name == "content-type":
        return not _UNSAFE_BYTES.search(value) and value.partition(";")[0].strip().lower() in _SIMPLE_TYPES
    span = re.fullmatch(r"bytes=(\d+)-(\d*)", value) if name == "range" else None
    return span is not None and (not span[2] or int(span[1]) <= int(span[2]))


def preflight_of(question: Question) -> Question | None:
    """The request that the browser sends first; None when it sends none."""
    method, names = method_of(question), unsafe_headers(question)
    if method in SIMPLE_METHODS and not names:
        return None
    headers: Mapping[str, tuple[str, ...]] = {
        "accept": ("*/*",),
        "origin": (page_origin(question),),
        "access-control-request-method": (method,),
        **({"access-control-request-headers": (",".join(names),)} if names else {}),
        **{name: lines for name, lines in question.headers.items() if name == "x-forwarded-for"},
    }
    return replace(question, method="OPTIONS", headers=headers, jwt=None, claims=None, origin=None)


def actual_of(question: Question) -> Question:
    """The request itself, as the browser sends it."""
    method = method_of(question)
    silent = not is_cross_origin(question) and method in ("GET", "HEAD")  # to its own origin a page says where it comes from on writes only
    headers = question.headers if silent else {**question.headers, "origin": (page_origin(question),)}
    return replace(question, method=method, headers=headers, origin=None)
