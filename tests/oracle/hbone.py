"""A caller that speaks HBONE: HTTP/2 CONNECT over mTLS, and the call inside of it, as ztunnel makes it."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from typing import Any

from tests.oracle.calls import Call, Result


@dataclass(frozen=True)
class Tunnelled(Call):
    """A call through a tunnel to `authority`, the address and port that are called."""

    authority: str = ""

    async def _exchange(self) -> Result:
        reader, writer = await asyncio.open_connection(
            self.address, self.port, ssl=self.tls, server_hostname="", local_addr=(self.source, 0)
        )
        try:
            return await _Tunnel(reader, writer, self.authority).call(self)
        finally:
            writer.close()


class _Tunnel:
    """One connection with one CONNECT."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, authority: str) -> None:
        from h2.connection import H2Connection  # type: ignore[import-not-found]

        self.reader, self.writer, self.authority = reader, writer, authority
        self.h2: Any = H2Connection()
        self.status: int | None = None
        self.data, self.ended = b"", False

    async def call(self, call: Call) -> Result:
        """Open the tunnel, send the call, read what comes back."""
        self.h2.initiate_connection()
        self.stream = self.h2.get_next_available_stream_id()
        self.h2.send_headers(self.stream, [(":method", "CONNECT"), (":authority", self.authority)])
        await self._flush()
        while self.status is None and not self.ended:
            await self._receive()
        if self.status != 200:
            return Result("reset", peer=f"CONNECT {self.status}")
        tcp = call.question.get("protocol") == "tcp"
        self.h2.send_data(self.stream, b"ping-through-the-mesh\n" if tcp else call.request())
        await self._flush()
        while not self.ended and not (self.data if tcp else _is_whole(self.data, call.question.get("method") == "HEAD")):
            await self._receive()
        if tcp:
            return Result("ok" if self.data else "reset")
        inner = asyncio.StreamReader()
        inner.feed_data(self.data)
        inner.feed_eof()
        return await call.answer(inner, "")

    async def _receive(self) -> None:
        from h2.events import ConnectionTerminated, DataReceived, ResponseReceived, StreamEnded, StreamReset  # type: ignore[import-not-found]

        received = await self.reader.read(65536)
        if not received:
            self.ended = True
            return
        for event in self.h2.receive_data(received):
            if isinstance(event, ResponseReceived):
                self.status = int({bytes(k): bytes(v) for k, v in event.headers}[b":status"])
            elif isinstance(event, DataReceived):
                self.data += event.data
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, (StreamEnded, StreamReset, ConnectionTerminated)):
                self.ended = True
        await self._flush()

    async def _flush(self) -> None:
        self.writer.write(self.h2.data_to_send())
        await self.writer.drain()


def _is_whole(data: bytes, head: bool) -> bool:
    """Whether an HTTP/1.1 answer with a Content-Length is there to its end."""
    before, blank, body = data.partition(b"\r\n\r\n")
    if not blank:
        return False
    lengths = [line.split(b":")[1] for line in before.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return head or len(body) >= int(lengths[0] if lengths else 0)


def context(chain: str, key: str) -> ssl.SSLContext:
    """TLS as ztunnel speaks it: a certificate of the mesh, HTTP/2."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    made.load_cert_chain(chain, key)
    made.set_alpn_protocols(["h2"])
    return made
