"""Calls from outside, byte by byte as a test wants them."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
from collections.abc import Mapping
from typing import Any, NamedTuple

from tests.differential.edge.pods import MARK
from tests.differential.edge.sandbox import DOOR


class Call(NamedTuple):
    """One request. `host` is the Host header as it is sent; `sni` stands in the handshake of TLS (none without one)."""

    host: str
    path: str
    method: str = "GET"
    tls: bool = False
    source: str = "203.0.113.9"
    headers: Mapping[str, str] = {}
    body: bytes | None = None

    def question(self, identity: str, via: Mapping[str, Any]) -> dict[str, Any]:
        """The call as a question of `meshcheck trace --batch`."""
        name = self.host.partition(":")[0] or "none.example"
        headers = {name: [value] for name, value in self.headers.items()}
        if self.body is not None:
            headers["content-length"] = [str(len(self.body))]
        return {
            "id": identity,
            "from": {"external": True},
            "source_ip": self.source,
            "to": {"url": f"{'https' if self.tls else 'http'}://{name.rstrip('.')}/", "via": {**via, "port": 443 if self.tls else 80}},
            "host": self.host,
            "path": self.path,
            "method": self.method,
            "headers": headers,
        }


class Answer(NamedTuple):
    """What came back. `status` 0: the connection was closed without an answer; -1: TLS failed; -2: nobody answered in time."""

    status: int
    headers: Mapping[str, str] = {}
    pod: str = ""
    """The address of the pod that answered; empty when a proxy did."""
    seen: Mapping[str, Any] | None = None
    """What the pod saw."""
    body: str = ""

    def __str__(self) -> str:
        where = f" from pod {self.pod}" if self.pod else ""
        to = f" to {self.headers['location']}" if "location" in self.headers else ""
        return f"{self.status}{where}{to}{'' if self.pod else ' ' + repr(self.body[:120])}"


def send(call: Call, ports: tuple[int, int] = (80, 443), door: str = DOOR) -> Answer:
    """Send a call to the controller's ports for HTTP and TLS."""
    family = socket.AF_INET6 if ":" in call.source else socket.AF_INET
    address = ("::1" if family == socket.AF_INET6 else door, ports[call.tls])
    try:
        with contextlib.ExitStack() as stack:
            connection: Any = stack.enter_context(socket.socket(family))
            connection.settimeout(8)
            connection.bind((call.source, 0))
            connection.connect(address)
            if call.tls:
                context = ssl.create_default_context()
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                name = call.host.partition(":")[0].rstrip(".")
                connection = stack.enter_context(context.wrap_socket(connection, server_hostname=name or None))
            connection.sendall(_bytes(call))
            response = http.client.HTTPResponse(connection, method=call.method)
            response.begin()
            return _read(response)
    except ssl.SSLError:
        return Answer(-1)
    except TimeoutError:
        return Answer(-2)
    except (ConnectionError, http.client.HTTPException):
        return Answer(0)


def _bytes(call: Call) -> bytes:
    lines = [f"{call.method} {call.path} HTTP/1.1", f"Host: {call.host}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in call.headers.items()]
    if call.body is not None:
        lines.append(f"Content-Length: {len(call.body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (call.body or b"")


def _read(response: http.client.HTTPResponse) -> Answer:
    headers = {name.lower(): value for name, value in response.getheaders()}
    body = b""
    with contextlib.suppress(http.client.HTTPException, OSError):
        body = response.read()
    pod = headers.get(MARK, "")
    seen = None
    if pod:
        with contextlib.suppress(ValueError):
            seen = json.loads(body)
    return Answer(response.status, headers, pod, seen, "" if pod else body.decode(errors="replace"))
