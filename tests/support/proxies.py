"""Proxies as companies have them: HTTP with CONNECT (and a password), and SOCKS 5. They send every name to one address."""

from __future__ import annotations

import base64
import select
import socket
import socketserver
import struct
import threading
from types import TracebackType
from urllib.parse import unquote


class Proxy:
    """A proxy on a free port of 127.0.0.1. `seen`: what clients asked for, as HOST:PORT."""

    scheme = "http"

    def __init__(self, target: tuple[str, int], credentials: str = "") -> None:
        self.target, self.credentials, self.seen = target, credentials, list[str]()
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                outer.talk(self.request)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """With the password, where it wants one."""
        port = self._server.server_address[1]
        return f"{self.scheme}://{f'{self.credentials}@' if self.credentials else ''}127.0.0.1:{port}"

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    def talk(self, client: socket.socket) -> None:
        """One connection, to its end."""
        head = b""
        while b"\r\n\r\n" not in head:
            more = client.recv(4096)
            if not more:
                return
            head += more
        first, *lines = head.decode("latin-1").split("\r\n")
        wanted = base64.b64encode(unquote(self.credentials).encode()).decode()
        given = [line.split(" ")[-1] for line in lines if line.lower().startswith("proxy-authorization: basic ")]
        if self.credentials and wanted not in given:
            client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        self.seen.append(first.split(" ")[1])
        with socket.create_connection(self.target) as server:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            _pass_on(client, server)


class SocksProxy(Proxy):
    """SOCKS 5 (RFC 1928), with names looked up by the proxy."""

    scheme = "socks5"

    def talk(self, client: socket.socket) -> None:
        _, methods = struct.unpack("!BB", client.recv(2))
        client.recv(methods)
        client.sendall(b"\x05\x00")
        _, _, _, kind = struct.unpack("!BBBB", client.recv(4))
        host = client.recv(client.recv(1)[0]).decode() if kind == 3 else socket.inet_ntoa(client.recv(4))
        (port,) = struct.unpack("!H", client.recv(2))
        self.seen.append(f"{host}:{port}")
        with socket.create_connection(self.target) as server:
            client.sendall(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
            _pass_on(client, server)


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    while True:
        ready, _, _ = select.select([one, other], [], [])
        for end in ready:
            data = end.recv(65536)
            if not data:
                return
            (other if end is one else one).sendall(data)
