"""What a kubelet does for port-forward, and no more: TLS, a WebSocket of v4.channel.k8s.io, bytes to and from a port of this machine.

The API server finds it by the address and port of a Node, as it finds real ones, and passes the WebSocket on as it is. What is run in a
pod (exec) goes over SPDY between the two, which is not spoken here: it is answered as a pod without the program answers.
Source: kubernetes/kubernetes:staging/src/k8s.io/kubelet/pkg/cri/streaming/portforward/websocket.go.
"""

from __future__ import annotations

import base64
import hashlib
import socket
import ssl
import struct
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from urllib.parse import parse_qs, urlsplit

from tests.support.apiserver import ApiServer
from tests.support.certificates import Authority

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Kubelet:
    """A node of a server. `ports`: what listens in its pods, as a port of 127.0.0.1 for each of a pod's; `asked`: paths."""

    def __init__(self, server: ApiServer, folder: Path, ports: Mapping[int, int], name: str = "node-0") -> None:
        self.ports, self.asked = ports, list[str]()
        pair = Authority("kubelet").issue(name, hosts=["127.0.0.1"])
        for end, raw in (("crt", pair.certificate), ("key", pair.key)):
            (folder / f"kubelet.{end}").write_bytes(raw)
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer.answer(self)

            do_POST = do_GET

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "kubelet.crt", folder / "kubelet.key")
        self.http.socket = context.wrap_socket(self.http.socket, server_side=True)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        server.request("POST", "/api/v1/nodes", {"metadata": {"name": name}})
        endpoint = {"kubeletEndpoint": {"Port": self.http.server_address[1]}}
        server.set_status(
            f"/api/v1/nodes/{name}", {"addresses": [{"type": "InternalIP", "address": "127.0.0.1"}], "daemonEndpoints": endpoint}
        )

    def __enter__(self) -> Kubelet:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.http.shutdown()
        self.http.server_close()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """One request of the API server."""
        self.asked.append(handler.path)
        url = urlsplit(handler.path)
        if not url.path.startswith("/portForward/"):
            raw = b'exec failed: "pilot-agent": executable file not found in $PATH'
            handler.send_response(500)
            handler.send_header("Content-Length", str(len(raw)))
            handler.end_headers()
            handler.wfile.write(raw)
            return
        accept = base64.b64encode(hashlib.sha1(f"{handler.headers['Sec-WebSocket-Key']}{_GUID}".encode()).digest()).decode()
        handler.send_response(101)
        for name, value in (("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", accept)):
            handler.send_header(name, value)
        handler.send_header("Sec-WebSocket-Protocol", "v4.channel.k8s.io")
        handler.end_headers()
        handler.close_connection = True
        self._forward(handler, int(parse_qs(url.query)["port"][0]))

    def _forward(self, handler: BaseHTTPRequestHandler, port: int) -> None:
        for channel in (0, 1):
            _send(handler, bytes([channel]) + struct.pack("<H", port))
        try:
            inner = socket.create_connection(("127.0.0.1", self.ports.get(port, 1)), 5)
        except OSError:
            _send(
                handler, b"\x01" + f"error forwarding port {port} to pod: dial tcp4 127.0.0.1:{port}: connect: connection refused".encode()
            )
            return
        with inner:
            inner.sendall(_receive(handler)[1:])
            while data := inner.recv(20000):
                _send(handler, b"\x00" + data)
        _send(handler, b"", opcode=8)


def _send(handler: BaseHTTPRequestHandler, data: bytes, opcode: int = 2) -> None:
    size = len(data)
    length = bytes([size]) if size < 126 else b"\x7e" + struct.pack("!H", size) if size < 65536 else b"\x7f" + struct.pack("!Q", size)
    handler.wfile.write(bytes([0x80 | opcode]) + length + data)


def _receive(handler: BaseHTTPRequestHandler) -> bytes:
    """One frame of a client: masked, and short here."""
    _, second = handler.rfile.read(2)
    size = second & 0x7F
    if size == 126:
        (size,) = struct.unpack("!H", handler.rfile.read(2))
    mask, data = handler.rfile.read(4), handler.rfile.read(size)
    return bytes(byte ^ mask[number % 4] for number, byte in enumerate(data))
