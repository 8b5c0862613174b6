"""Which server block answers: by the port and address it listens on, then by the name.

Sources: nginx/nginx:src/http/ngx_http_core_module.c (ngx_http_core_listen, ngx_http_core_server_name), ngx_http.c
(ngx_http_server_names), ngx_http_request.c (ngx_http_find_virtual_server).
"""

from __future__ import annotations

from meshcheck.model.nginx import Directive
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.addresses import parse_address
from meshcheck.semantics.nginx.patterns import search
from meshcheck.semantics.nginx.supposing import Supposing, Undecided


class Listen(NamedTuple):
    """One address of a server. `address` is `*`, `::` or an address."""

    server: Directive
    address: str
    port: int
    flags: frozenset[str]


def listens(http: Directive, root: bool) -> list[Listen]:
    """All addresses of all servers, in the order of the configuration."""
    out = []
    for server in http.block or ():
        if server.name != "server" or server.block is None:
            continue
        own = [item for item in server.block if item.name == "listen" and item.args]
        if not own:
            out.append(Listen(server, "*", 80 if root else 8000, frozenset()))
        for item in own:
            out += [Listen(server, address, port, frozenset(item.args[1:])) for address, port in _addresses(item.args[0])]
    return out


def _addresses(text: str) -> list[tuple[str, int]]:
    if text.startswith("unix:"):
        return []
    if text.startswith("["):
        address, _, rest = text[1:].partition("]")
        port = rest.removeprefix(":")
    elif ":" in text:
        address, _, port = text.rpartition(":")
    elif text.replace("-", "").isdigit():
        address, port = "*", text
    else:
        address, port = text, ""
    first, _, last = (port or "80").partition("-")
    if not first.isdigit() or not (last or first).isdigit() or int(last or first) > 65535:
        return []
    address = "*" if address in ("", "*", "0.0.0.0") else address
    return [(address, number) for number in range(int(first), int(last or first) + 1)]


def candidates(found: list[Listen], port: int, pod_address: str) -> list[Listen]:
    """The servers of the address that a connection to the pod's port meets. Raises Undecided."""
    here = [item for item in found if item.port == port and not _is_loopback(item.address)]
    exact = [item for item in here if item.address not in ("*", "::")]
    if exact:
        if not pod_address or any(parse_address(item.address) is None for item in exact):
            raise Undecided(f"the address of the pod: `listen {exact[0].address}:{port}` looks at it")
        if same := [item for item in exact if parse_address(item.address) == parse_address(pod_address)]:
            return same
    four = [item for item in here if item.address == "*"]
    six = [item for item in here if item.address == "::"]
    if pod_address:
        return six if ":" in pod_address else four or [item for item in six if "ipv6only=off" in item.flags]
    if four and six and [(i.server, i.flags & _DEFAULT) for i in four] != [(i.server, i.flags & _DEFAULT) for i in six]:
        raise Undecided(f"whether the pod is called over IPv4 or IPv6: other servers listen on port {port} of each")
    return four or six


_DEFAULT = frozenset(["default_server", "default"])


def _is_loopback(address: str) -> bool:
    return address in ("::1", "localhost") or address.startswith("127.")


def choose(found: list[Listen], host: str, supposing: Supposing) -> Listen:
    """The server for a host: exact name, longest `*.name`, longest `name.*`, first regular expression, default."""
    best: tuple[int, int] = (0, 0)
    chosen = None
    for item in found:
        for name in _names(item.server):
            rank = _rank(name.lower() if not name.startswith("~") else name, host)
            if rank > best:
                best, chosen = rank, item
    if chosen is not None:
        return chosen
    for item in found:
        for name in _names(item.server):
            if name.startswith("~") and _regex(name[1:], host, supposing):
                return item
    return default(found)


def default(found: list[Listen]) -> Listen:
    """The server for hosts that no name fits."""
    return next((item for item in found if item.flags & _DEFAULT), found[0])


def _names(server: Directive) -> list[str]:
    given = [name for item in server.block or () if item.name == "server_name" for name in item.args]
    return given or [""]


def _rank(name: str, host: str) -> tuple[int, int]:
    """How well a name without a regular expression fits; (0, 0) where it does not."""
    if name == host or (name.startswith(".") and name[1:] == host):
        return 3, 0
    if name.startswith(("*.", ".")):
        tail = name.removeprefix("*")
        return (2, len(tail)) if host.endswith(tail) and len(host) > len(tail) else (0, 0)
    if name.endswith(".*"):
        return (1, len(name)) if host.startswith(name[:-1]) and len(host) > len(name) - 1 else (0, 0)
    return 0, 0


def _regex(pattern: str, host: str, supposing: Supposing) -> bool:
    found = search(pattern, host, any(c.isupper() for c in pattern))
    return supposing.ask(f"whether the server name `~{pattern}` matches `{host}`") if found is False else found is not None
