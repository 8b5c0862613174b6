"""A GET to a port of a pod through the API server, without a local port that others could use.

The official client's port-forward leaves impersonation out, and so asks as somebody else; connections are made here as all others are, and
the frames are few. Source: kubernetes/kubernetes:staging/src/k8s.io/kubelet/pkg/cri/streaming/portforward/websocket.go (v4.channel.k8s.io:
channel 0 is data, channel 1 says what went wrong, and both begin with the port).
"""

from __future__ import annotations

import http.client
import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from meshcheck.load.cluster.api import ApiError

if TYPE_CHECKING:
    import socket

    from meshcheck.load.cluster.api import Api

_PROTOCOL = "v4.channel.k8s.io"
_DATA, _ERROR = 0, 1


def get_from_pod(api: Api, namespace: str, pod: str, port: int, path: str, most: int, seconds: float) -> bytes:
    """The body of the answer, `most` bytes and one more at the longest. Raises ApiError where it cannot be had."""
    import websocket

    url = f"/api/v1/namespaces/{namespace}/pods/{pod}/portforward?ports={port}"
    connected, headers = api.open_socket(seconds)
    stream: Any = cast("Any", websocket).WebSocket()
    frames = _Frames(stream, websocket)
    try:
        stream.connect(
            f"ws{urlsplit(api.server).scheme.removeprefix('http')}://{urlsplit(api.server).netloc}{urlsplit(api.server).path}{url}",
            socket=connected,
            header=[f"{name}: {value}" for name, value in headers],
            subprotocols=[_PROTOCOL],
            suppress_origin=True,
        )
        stream.settimeout(seconds)
        request = f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n".encode()
        stream.send_binary(bytes([_DATA]) + request)
        answer = http.client.HTTPResponse(cast("socket.socket", frames))
        answer.begin()
        body = answer.read(most + 1)
        if answer.status != 200:
            raise ApiError(0, f"port {port} answers {answer.status}")
        return body
    except websocket.WebSocketBadStatusException as error:
        raise _refused(error) from None
    except (websocket.WebSocketException, http.client.HTTPException, OSError) as error:
        raise ApiError(0, frames.error or str(error) or f"port {port} gives no answer") from None
    finally:
        stream.close(timeout=1)


class _Frames(io.RawIOBase):
    """The bytes of the data channel, as http.client reads a socket."""

    def __init__(self, stream: Any, library: Any) -> None:
        self._stream, self._library = stream, library
        self._data = memoryview(b"")
        self._begun: set[int] = set()
        self.error = ""

    def makefile(self, *_: object) -> io.BufferedReader:
        """What http.client asks of a socket."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        """As io.RawIOBase."""
        return True

    def readinto(self, into: Any) -> int:
        """As io.RawIOBase; 0 at the end."""
        while not self._data:
            try:
                frame = self._stream.recv()
            except self._library.WebSocketConnectionClosedException:
                return 0
            raw = frame.encode() if isinstance(frame, str) else frame
            if not raw:
                return 0
            self._take(raw[0], raw[1:])
            if self.error:
                return 0
        size = min(len(into), len(self._data))
        into[:size] = self._data[:size]
        self._data = self._data[size:]
        return size

    def _take(self, channel: int, data: bytes) -> None:
        if channel not in self._begun:
            self._begun.add(channel)  # its first frame is the port
        elif channel == _ERROR:
            self.error += data.decode("utf-8", "replace")
        elif channel == _DATA:
            self._data = memoryview(data)


def pod_of(api: Api, kind: str, namespace: str, name: str) -> str:
    """The pod that a workload's name stands for, a ready one where there is one. Raises ApiError."""
    group, plural = _WORKLOADS[kind]
    found = api.get(f"/apis/{group}/namespaces/{namespace}/{plural}/{name}")
    wanted = ((found.get("spec") or {}).get("selector") or {}).get("matchLabels") or {}
    labels = ",".join(f"{key}={value}" for key, value in wanted.items())
    pods = api.get(f"/api/v1/namespaces/{namespace}/pods", labelSelector=labels).get("items") or [] if labels else []
    if not pods:
        raise ApiError(404, f"{plural}/{name} has no pods")
    return str(max(pods, key=_readiness)["metadata"]["name"])


def _readiness(pod: Mapping[str, Any]) -> tuple[bool, bool]:
    status = pod.get("status") or {}
    ready = any(c.get("type") == "Ready" and c.get("status") == "True" for c in status.get("conditions") or ())
    return status.get("phase") == "Running", ready


_APPS = "apps/v1"
_WORKLOADS: Mapping[str, tuple[str, str]] = {
    "deploy": (_APPS, "deployments"), "deployment": (_APPS, "deployments"), "deployments": (_APPS, "deployments"),
    "sts": (_APPS, "statefulsets"), "statefulset": (_APPS, "statefulsets"), "statefulsets": (_APPS, "statefulsets"),
    "ds": (_APPS, "daemonsets"), "daemonset": (_APPS, "daemonsets"), "daemonsets": (_APPS, "daemonsets"),
    "rs": (_APPS, "replicasets"), "replicaset": (_APPS, "replicasets"), "replicasets": (_APPS, "replicasets"),
    "job": ("batch/v1", "jobs"), "jobs": ("batch/v1", "jobs"),
}  # fmt: skip
WORKLOAD_WORDS = tuple(_WORKLOADS)
POD_WORDS = ("pod", "po", "pods")


def _refused(error: Any) -> ApiError:
    import json

    raw = error.resp_body or b""
    try:
        status = json.loads(raw)
        message = str(status["message"])
    except (ValueError, KeyError, TypeError):
        message = raw.decode("utf-8", "replace").strip()[:200] or f"status {error.status_code}"
    return ApiError(int(error.status_code), message)
