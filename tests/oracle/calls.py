"""Makes calls over HTTP, TCP and mTLS, and is the workload at the other end."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from tests.oracle.pki import Pki

SECONDS = 15
AT_ONCE = 24


@dataclass(frozen=True)
class Result:
    """What a caller saw: an HTTP answer, an echo (`ok`), or how the connection ended."""

    kind: Literal["http", "ok", "reset", "timeout", "refused"]
    status: int = 0
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    peer: str = ""

    @property
    def from_workload(self) -> bool:
        """Was it the workload that answered, and not a proxy?"""
        return self.kind == "ok" or "x-workload" in self.headers


@dataclass(frozen=True)
class Call:
    """One question, and where its proxy listens here."""

    question: dict[str, Any]
    address: str
    port: int
    source: str
    path: str
    tls: ssl.SSLContext | None

    async def make(self) -> Result:
        """Make the call once, over a connection of its own."""
        try:
            async with asyncio.timeout(SECONDS):
                return await self._exchange()
        except TimeoutError:
            return Result("timeout")
        except (OSError, asyncio.IncompleteReadError, ValueError):  # ValueError: a line without end
            return Result("reset")

    async def _exchange(self) -> Result:
        sni = (self.question.get("sni") or "") if self.tls else None
        reader, writer = await asyncio.open_connection(
            self.address, self.port, ssl=self.tls, server_hostname=sni, local_addr=(self.source, 0)
        )
        try:
            host, port = (writer.get_extra_info("sockname") or (self.source, 0))[:2]  # None: already closed again
            peer = f"{host}:{port} {self.address}:{self.port}"  # as in the access log: clients' ports are used again for other workloads
            if self.question.get("protocol") == "tcp":
                writer.write(b"ping-through-the-mesh\n")
                await writer.drain()
                return Result("ok" if await _some(reader) else "reset", peer=peer)
            writer.write(self.request())
            await writer.drain()
            return await self.answer(reader, peer)
        finally:
            writer.close()

    def request(self) -> bytes:
        """The request as bytes of HTTP/1.1."""
        q = self.question
        lines = [f"{q.get('method', 'GET')} {self.path} HTTP/1.1", f"Host: {q['host']}", f"X-Oracle-Id: {q['id']}"]
        lines += [f"{name}: {value}" for name, values in (q.get("headers") or {}).items() for value in values]
        if q.get("method") in ("POST", "PUT", "PATCH"):
            lines.append("Content-Length: 0")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    async def answer(self, reader: asyncio.StreamReader, peer: str) -> Result:
        """Read an HTTP answer."""
        first = await reader.readline()
        if not first:
            return Result("reset", peer=peer)
        headers: dict[str, str] = {}
        while line := (await reader.readline()).strip():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        length = 0 if self.question.get("method") == "HEAD" else int(headers.get("content-length", "0"))
        body = await reader.readexactly(length)
        return Result("http", int(first.split()[1]), body.decode("latin-1"), headers, peer)


async def _some(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read(100)
    except ConnectionError:
        return b""


class Application:
    """The application behind every proxy: 200 to every HTTP request, an echo to everything else."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()

    async def ask(self, calls: Iterable[Call]) -> dict[str, Result]:
        """Make calls while the workload answers, a few at a time; results by the questions' ids."""
        server = await asyncio.start_server(_serve, sock=self._socket)
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(call: Call) -> tuple[str, Result]:
            async with gate:
                return call.question["id"], await call.make()

        try:
            return dict(await asyncio.gather(*(one(call) for call in calls)))
        finally:
            server.close()


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError, asyncio.CancelledError):
        while data := await reader.read(65536):
            if b"HTTP/1.1\r\n" in data:
                body = b"" if data.startswith(b"HEAD ") else b"ok"
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-workload: yes\r\n\r\n" + body)
            else:
                writer.write(data)
            await writer.drain()
    writer.close()


def client_contexts(pki: Pki) -> Callable[[str | None, tuple[str, ...]], ssl.SSLContext]:
    """TLS contexts of callers, by their identity (None: no certificate) and the protocols they offer."""

    @cache
    def context(identity: str | None, alpn: tuple[str, ...]) -> ssl.SSLContext:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
        if identity:
            made.load_cert_chain(*pki.issue(identity))
        made.set_alpn_protocols(list(alpn))
        return made

    return context
