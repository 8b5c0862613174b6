"""The request as nginx reads it: URI, host, and the address that it takes for the client's.

Sources: nginx/nginx:src/http/ngx_http_parse.c (ngx_http_parse_complex_uri), ngx_http_request.c (ngx_http_validate_host),
modules/ngx_http_realip_module.c.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from meshcheck.model.pattern import pattern
from meshcheck.model.record import record
from meshcheck.semantics.addresses import parse_address, parse_block
from meshcheck.semantics.nginx.levels import Level
from meshcheck.semantics.nginx.supposing import Supposing

BEHIND_SIDECAR = "127.0.0.6"
"""From where a sidecar connects to its application: istio/istio:pilot/pkg/networking/core/cluster.go (InboundPassthroughBindIpv4)."""
_ESCAPE = pattern(rb"%([0-9A-Fa-f]{2})?")


@record
class Request:
    """What arrives at nginx. `headers` have lower-case names."""

    method: str
    target: str
    """Path and query as they arrive."""
    authority: str
    headers: Mapping[str, Sequence[str]]
    guessed: frozenset[str]
    """Names of headers that callers and proxies send though nobody says so: absent ones are not known to be absent."""
    address: str | None
    """From where the connection comes; None where that is not known."""
    tls: bool
    port: int
    pod_address: str
    """The pod's own address, or empty."""

    def header(self, name: str) -> str | None:
        """A header's value, empty without one; None where it is not known."""
        lines = self.headers.get(name)
        if lines:
            return ", ".join(lines)
        by_proxies = name.startswith(("x-envoy-", "x-b3-")) and "x-request-id" in self.guessed
        return None if name in self.guessed or by_proxies else ""


class BadRequest(Exception):
    """A request that nginx answers with 400 before it looks for a location."""


def normalised(path: str, merge_slashes: bool) -> str:
    """The URI that locations are compared with. Raises BadRequest."""
    if any(c <= " " or c == "\x7f" for c in path):
        raise BadRequest(f"the path `{path}` has blanks or control characters")
    raw = path.partition("#")[0].encode("utf-8", "surrogateescape")

    def plain(match: re.Match[bytes]) -> bytes:
        if match[1] is None or match[1] == b"00":
            raise BadRequest(f"the path `{path}` is not one that nginx accepts")
        return bytes([int(match[1], 16)])

    text = _ESCAPE.sub(plain, raw).decode("utf-8", "surrogateescape")
    out: list[str] = []
    parts = text.split("/")[1:]
    for n, part in enumerate(parts):
        last = n == len(parts) - 1
        if part == "..":
            if not out:
                raise BadRequest(f"the path `{path}` leads above the root")
            out.pop()
        elif part not in (".", "") or (part == "" and not merge_slashes and not last):
            out.append(part)
        if last and part in ("", ".", ".."):
            out.append("")
    return "/" + "/".join(out)


def host_of(authority: str) -> str:
    """The host that names of servers are compared with: lower case, without port and final dot. Raises BadRequest."""
    host = authority.lower()
    if host.startswith("["):
        host = host.partition("]")[0] + "]"
    else:
        host = host.partition(":")[0]
    host = host.removesuffix(".")
    if ".." in host or "/" in host or "\\" in host or any(c <= " " or c == "\x7f" for c in host):
        raise BadRequest(f"the Host header `{authority}` is not one that nginx accepts")
    return host


def client_address(request: Request, level: Level, supposing: Supposing) -> str | None:
    """The address that `allow` and `deny` look at, after the real_ip module; None where it is not known."""
    trusted = [item.args[0] for item in level.setting("set_real_ip_from") if item.args]
    if not trusted:
        return request.address
    setting = level.last("real_ip_header")
    name = setting.args[0].lower() if setting is not None else "x-real-ip"
    value = request.header(name)
    if value == "":
        return request.address
    if not any(_within(request.address, block, supposing) for block in trusted):
        return request.address
    if value is None or name == "proxy_protocol":
        return None
    recursive = level.last("real_ip_recursive")
    chain = [part.strip() for part in value.split(",")] if name == "x-forwarded-for" or recursive else [value.strip()]
    address = request.address
    while chain:
        given = chain.pop()
        if parse_address(given) is None:
            break
        address = given
        if recursive is None or recursive.args != ("on",) or not any(_within(address, block, supposing) for block in trusted):
            break
    return address


def _within(address: str | None, block: str, supposing: Supposing) -> bool:
    found = within(address, block)
    return supposing.ask(f"whether the address of the caller, as nginx sees it, lies in {block}") if found is None else found


def within(address: str | None, block: str) -> bool | None:
    """Whether an address lies in a block of `allow`, `deny` or `set_real_ip_from`; None where it is not known."""
    if block == "all":
        return True
    if block == "unix:":
        return False
    wanted = parse_block(block)
    if wanted is None or address is None:
        return None
    found = parse_address(address.removeprefix("::ffff:") if "." in address else address)
    return None if found is None else wanted.holds(found)
