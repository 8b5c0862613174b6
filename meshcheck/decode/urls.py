"""URLs of questions."""

from __future__ import annotations

from meshcheck.errors import UsageError

_SCHEMES = {
    "http": "http",
    "https": "https",
    "grpc": "grpc",
    "grpcs": "tls",
    "ws": "http",
    "wss": "https",
    "tls": "tls",
    "tcp": "tcp",
    "udp": "udp",
    "sctp": "sctp",
}


def split_url(url: str) -> tuple[str, str, int | None, str]:
    """(protocol, host, port or None, path with query) of a URL. Raises UsageError."""
    scheme, mark, rest = url.partition("://")
    if not mark or scheme.lower() not in _SCHEMES:
        raise UsageError(f"`{url}` is not a URL that can be traced: give http://, https://, grpc://, tls://, tcp:// or udp://")
    cut = min((i for i in (rest.find(c) for c in "/?#") if i >= 0), default=len(rest))
    authority, path = rest[:cut].rpartition("@")[2], rest[cut:].partition("#")[0]
    if authority.startswith("["):
        host, _, tail = authority[1:].partition("]")
        port = tail.removeprefix(":")
    else:
        host, _, port = authority.partition(":")
    if not host:
        raise UsageError(f"`{url}` names no host")
    if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise UsageError(f"`{url}`: `{port}` is not a port (1 to 65535)")
    if not path.startswith("/"):
        path = "/" + path
    if not path.isascii():
        from urllib.parse import quote

        path = quote(path, safe="/%?&=+;:@!$'()*,~-._")  # as a client would send it
    return _SCHEMES[scheme.lower()], host, int(port) if port else None, path
