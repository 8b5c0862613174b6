"""A real proxy before the real API server, which answers some requests by itself: 429, 503, or a cut connection."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

from tests.support.apiserver import ADMIN, ApiServer

Fault = Callable[[str], "tuple[int, dict[str, str]] | None"]
"""From a path to the answer that is given instead of the server's (status and headers; 0 cuts the connection), or None."""


class Faulty:
    """`with Faulty(server, fault) as faulty:` listens on loopback; `asked` are the paths, `answered` the statuses."""

    def __init__(self, server: ApiServer, fault: Fault | None = None) -> None:
        self.server, self.fault = server, fault
        self.asked: list[str] = []
        self.answered: list[int] = []

    def __enter__(self) -> Faulty:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer._pass_on(self, None)

            def do_POST(self) -> None:
                outer._pass_on(self, self.rfile.read(int(self.headers["Content-Length"])))

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.http.shutdown()
        self.http.server_close()

    def kubeconfig(self) -> str:
        """The server's, by way of the proxy."""
        path = self.server.kubeconfig()
        with open(path) as file:
            config = json.load(file)
        config["clusters"][0]["cluster"] = {"server": f"http://127.0.0.1:{self.http.server_address[1]}"}
        with open(path, "w") as file:
            json.dump(config, file)
        return path

    def _pass_on(self, handler: BaseHTTPRequestHandler, body: bytes | None) -> None:
        self.asked.append(handler.path)
        fault = self.fault(handler.path) if self.fault else None
        if fault is not None:
            status, headers = fault
            self.answered.append(status)
            if status == 0:
                handler.close_connection = True
                handler.connection.shutdown(2)
                return
            raw = json.dumps({"kind": "Status", "code": status, "message": "made up by the test"}).encode()
        else:
            kept = {k: v for k, v in handler.headers.items() if k.lower() in ("accept", "content-type")}
            kept["Authorization"] = f"Bearer {self.server.tokens[ADMIN]}"  # as `kubectl proxy`: nobody sends it a token without TLS
            request = urllib.request.Request(self.server.url + handler.path, body, kept, method=handler.command)
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=self.server._tls()))
            try:
                with opener.open(request, timeout=60) as reply:
                    status, headers, raw = reply.status, {"Content-Type": reply.headers["Content-Type"]}, reply.read()
            except urllib.error.HTTPError as error:
                status, headers, raw = error.code, {"Content-Type": error.headers["Content-Type"]}, error.read()
            self.answered.append(status)
        handler.send_response(status)
        for name, text in headers.items():
            handler.send_header(name, text)
        handler.send_header("Content-Length", str(len(raw)))
        handler.end_headers()
        handler.wfile.write(raw)
