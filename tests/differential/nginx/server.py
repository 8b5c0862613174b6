"""A real nginx on loopback, and a server behind it that answers 200 to everything."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PROGRAM = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
ABSENT = "no nginx on this machine: nothing is compared with the real program (apt-get install nginx-light)"


class _Upstream(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        self.rfile.read(length)
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = do_PATCH = _answer

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextlib.contextmanager
def upstream() -> Iterator[int]:
    """A server that answers 200; its port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Upstream)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


_PORTS = iter(range(18000 + os.getpid() % 8000, 32000))
"""Below those that the system gives to connections that leave: one of these may be in use until its last packet is forgotten."""


def free_port() -> int:
    """A port on which nobody listens."""
    for port in _PORTS:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("0.0.0.0", port))
            return port
    raise AssertionError("no port is free")


def main_text(http: str, folder: Path) -> str:
    """An nginx.conf with a `http` block, for a program that writes nowhere but in a folder."""
    temporary = "\n".join(f"  {kind}_temp_path {folder}/tmp;" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    user = "user root;\n" if os.geteuid() == 0 else ""
    top = f"{user}worker_processes 1;\npid {folder}/pid;\nerror_log {folder}/error.log;\nevents {{}}\n"
    return f"{top}http {{\n  access_log off;\n{temporary}\n{http}}}\n"


@contextlib.contextmanager
def nginx(text: str, folder: Path, port: int) -> Iterator[None]:
    """nginx with a configuration, until the block ends. Fails when it does not start."""
    assert PROGRAM is not None
    config = folder / "nginx.conf"
    config.write_text(text)
    process = subprocess.Popen([PROGRAM, "-p", str(folder), "-c", str(config), "-g", "daemon off;"], stderr=subprocess.PIPE, text=True)
    try:
        for _ in range(400):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
                break
            if process.poll() is not None:
                assert process.stderr is not None
                raise AssertionError(f"nginx does not start: {process.stderr.read()}\n{text}")
            time.sleep(0.01)
        yield
    finally:
        process.terminate()
        process.communicate(timeout=10)


def status(port: int, source: str, method: str, path: str, headers: Mapping[str, str]) -> int:
    """The status that nginx answers; 0 when it closes the connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5, source_address=(source, 0))
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        return connection.getresponse().status
    except (http.client.HTTPException, ConnectionError):
        return 0
    finally:
        connection.close()
