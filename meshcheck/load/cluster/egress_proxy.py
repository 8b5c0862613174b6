"""The proxy between this program and the API server: `proxy-url`, or what $HTTPS_PROXY and $NO_PROXY say, as kubectl understands them.

The official client asks $NO_PROXY about `proxy-url` as well, sends loopback addresses through a proxy, and passes neither names without a
scheme nor passwords on. Sources: kubernetes/client-go:tools/clientcmd/helpers.go:parseProxyURL; golang/net:http/httpproxy/proxy.go.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import SplitResult, unquote, urlsplit

from meshcheck.errors import UnreadableError
from meshcheck.model.record import NamedTuple

_SCHEMES = ("http", "https", "socks5", "socks5h")
_PORTS = {"http": "80", "https": "443"}


class EgressProxy(NamedTuple):
    """A proxy: its URL without a password, `user:password` or nothing, and who names it."""

    url: str
    credentials: str
    named_by: str


def proxy_for(server: str, proxy_url: str, environ: Mapping[str, str]) -> EgressProxy | None:
    """The proxy of requests to a server; None where they go directly. Raises UnreadableError for a `proxy-url` that is none."""
    if proxy_url:
        found = _split(proxy_url)
        if found is None or found.scheme not in _SCHEMES or not found.hostname:
            raise UnreadableError(f"`proxy-url` {proxy_url}: write http://, https:// or socks5:// and the proxy's host and port")
        return _proxy(found, "`proxy-url`")
    target = urlsplit(server)
    for name in (f"{target.scheme.upper()}_PROXY", f"{target.scheme}_proxy"):
        if text := environ.get(name):
            found = _split(text)
            if found is None or found.scheme not in _SCHEMES:
                found = _split(f"http://{text}")
            if found is None or not found.hostname:
                raise UnreadableError(f"${name} `{text}` names no proxy: write http://HOST:PORT")
            exempt = environ.get("NO_PROXY") or environ.get("no_proxy") or ""
            return None if is_exempt(target, exempt) else _proxy(found, f"${name}")
    return None


def is_exempt(target: SplitResult, no_proxy: str) -> bool:
    """Whether requests to a host go past the proxies of the environment."""
    host, port = (target.hostname or "").lower(), str(target.port or _PORTS.get(target.scheme, ""))
    address = _address(host)
    if host == "localhost" or (address is not None and address.is_loopback):
        return True
    return any(_covers(entry.strip().lower(), host, port, address) for entry in no_proxy.split(",") if entry.strip())


def _covers(entry: str, host: str, port: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address | None) -> bool:
    if entry == "*":
        return True
    if "/" in entry:
        try:
            return address is not None and address in ipaddress.ip_network(entry, strict=False)
        except ValueError:
            pass
    name, colon, wanted = entry.rpartition(":") if entry.count(":") == 1 or "]:" in entry else (entry, "", "")
    if colon and wanted != port:
        return False
    name = name.strip("[]")
    named = _address(name)
    if named is not None:
        return named == address
    name = name[1:] if name.startswith("*.") else name
    if name.startswith("."):
        return host.endswith(name)
    return bool(name) and (host == name or host.endswith(f".{name}"))


def _split(text: str) -> SplitResult | None:
    try:
        found = urlsplit(text)
        _ = found.port  # is checked when it is asked for
        return found
    except ValueError:
        return None


def _proxy(found: SplitResult, named_by: str) -> EgressProxy:
    scheme = "socks5h" if found.scheme == "socks5" else found.scheme  # names are the proxy's to look up, as in Go
    host = f"[{found.hostname}]" if ":" in (found.hostname or "") else found.hostname
    port = f":{found.port}" if found.port else ""
    credentials = f"{unquote(found.username or '')}:{unquote(found.password or '')}" if found.username else ""
    return EgressProxy(f"{scheme}://{host}{port}", credentials, named_by)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
