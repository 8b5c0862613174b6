"""Answers Prometheus and the kubelet: `/metrics`, `/healthz`, `/readyz`. Nothing else is told here; the report has its own places."""

from __future__ import annotations

import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client.exposition import choose_encoder

from meshcheck.errors import MeshcheckError, UsageError
from meshcheck.job.metrics import registry_of
from meshcheck.job.state import State


def address_of(text: str) -> tuple[str, int]:
    """(host, port) of `:8080`, `127.0.0.1:8080` or `[::1]:8080`; an empty host is every address. Raises UsageError."""
    host, colon, port = text.rpartition(":")
    if not colon or not (port.isascii() and port.isdigit() and int(port) < 65536) or (":" in host and not host.startswith("[")):
        raise UsageError(f"`{text}` is no address to listen on: write `:8080`, `127.0.0.1:8080` or `[::1]:8080`")
    return host.strip("[]"), int(port)


def serve(state: State, address: str) -> Server:
    """Answer from now on, in threads of their own. Raises UsageError, or MeshcheckError when the address is taken."""
    host, port = address_of(address)
    try:
        server = Server(state, host, port)
    except OSError as error:
        raise MeshcheckError(f"`{address}`: cannot listen: {(error.strerror or str(error)).lower()}") from None
    threading.Thread(target=server.serve_forever, name="serve", daemon=True).start()
    return server


class Server(ThreadingHTTPServer):
    """The server; `port` is the one it listens on (of `:0`, the one that it was given)."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, state: State, host: str, port: int) -> None:
        self.state = state
        self.registry = registry_of(state, process=True)
        both = not host and socket.has_dualstack_ipv6()
        self.address_family = socket.AF_INET6 if both or ":" in host else socket.AF_INET
        self._both = both
        super().__init__((host, port), _Handler)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.server_address[1])

    def server_bind(self) -> None:
        if self._both:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)  # the base class also looks up its own name, which may take seconds
        self.server_address = self.socket.getsockname()

    def handle_error(self, request: object, client_address: object) -> None:
        """A caller that went away in the middle is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: Server
    timeout = 10
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "meshcheck", ""

    def do_GET(self) -> None:
        path, state = self.path.partition("?")[0], self.server.state
        if path == "/metrics":
            encode, content_type = choose_encoder(self.headers.get("Accept", ""))
            self._send(200, encode(self.server.registry), content_type)
        elif path == "/healthz":
            stuck = f"watches have not moved for too long: {', '.join(state.stuck)}" if state.stuck else ""
            self._answer(state.healthy, stuck or "the loop has not moved for too long")
        elif path == "/readyz":
            self._answer(state.ready, "the first pass is not done")
        else:
            self._send(404, b"known are /metrics, /healthz and /readyz\n")

    do_HEAD = do_GET

    def _answer(self, good: bool, otherwise: str) -> None:
        self._send(200 if good else 503, b"ok\n" if good else f"{otherwise}\n".encode())

    def _send(self, status: int, body: bytes, content_type: str = "text/plain; charset=utf-8") -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Scrapes and probes are not logged: they come every few seconds."""
