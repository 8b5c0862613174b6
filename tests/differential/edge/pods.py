"""One server for all pods: it answers 200 on every address, and says which address was called with what."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MARK = "x-answered-by"
"""A header that only pods send: the address that was called."""


class _Pod(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        target = self.requestline.split(" ")[1]
        status = int(target.split("/")[2][:3]) if target.startswith("/answer/") else 200
        seen = {"target": target, "host": self.headers.get("host"), "headers": {k.lower(): v for k, v in self.headers.items()}}
        body = json.dumps(seen).encode() if status >= 200 and status not in (204, 304) else b""
        self.send_response(status)
        self.send_header(MARK, self.connection.getsockname()[0].removeprefix("::ffff:"))
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def __getattr__(self, name: str) -> object:
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def log_message(self, format: str, *args: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    address_family = socket.AF_INET

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # a proxy that gives up is no concern of the pod


@contextlib.contextmanager
def pods(*ports: int) -> Iterator[None]:
    """Pods on every address, on these ports, until the block ends."""
    servers = [_Server(("0.0.0.0", port), _Pod) for port in ports]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()
