"""One API server: GET and POST of raw JSON, with patience.

What passes is asked again with growing pauses: 429 and 5xx (`Retry-After` is obeyed), resets, refused connections while a server restarts.
The first request is given less time: a server that is not there is said at once.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from meshcheck.errors import UnreadableError
from meshcheck.load.cluster.unreachable import lasting, words

PATIENCE = 60.0
"""Seconds without any answer after which a server that has answered before is given up."""
PATIENCE_OF_ONE = 20.0
"""Seconds for one request that fails while others are answered: a kind whose conversion or aggregated server is down."""
FIRST_PATIENCE = 4.0
"""Seconds for a server that has never answered."""
_LONGEST_PAUSE = 8.0
_AGAIN = frozenset([429, 500, 502, 503, 504])


class ApiError(Exception):
    """The server's answer to a refused request: `code`, `reason` and `message` of its Status; 0 when there was no answer."""

    def __init__(self, code: int, message: str, status: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status or {}

    @property
    def reason(self) -> str:
        """`Forbidden`, `Expired`, …"""
        return str(self.status.get("reason") or "")


class Api:
    """Requests to one API server; may be used from several threads."""

    def __init__(
        self,
        make_client: Callable[[], Any],
        headers: Iterable[tuple[str, str]],
        timeout: float,
        where: str,
        is_stale: Callable[[], bool] = lambda: False,
        why_unknown: Callable[[], str] = lambda: "",
        through: str = "",
    ) -> None:
        """`is_stale`: whether a client has to be made anew; `why_unknown`: what is known about credentials that are not accepted.

        `through`: the proxy before the server, in words that follow its address.
        """
        self._make_client, self._headers, self._timeout, self.where = make_client, tuple(headers), timeout, where
        self._is_stale, self._why_unknown, self._through = is_stale, why_unknown, through
        self._lock = threading.Lock()
        self._client: Any = None
        self._answered = 0.0
        """When it last answered; 0 for never."""
        self.requests = 0
        self.retries = 0
        self.on_wait: Callable[[str], None] | None = None
        """Told why it takes longer, before each pause."""

    @property
    def server(self) -> str:
        """The server's address."""
        return str(self.client.configuration.host)

    @property
    def client(self) -> Any:
        """The official client's ApiClient."""
        with self._lock:
            if self._client is None or self._is_stale():
                self._client = self._make_client()
            return self._client

    def get(self, path: str, accept: str = "application/json", **query: Any) -> Any:
        """The JSON at a path. Raises ApiError when the server refuses, UnreadableError when it cannot be reached or knows nobody."""
        return self._patiently("GET", path, accept, query, None)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Post an object (reviews of access; nothing is changed in a cluster)."""
        return self._patiently("POST", path, "application/json", {}, body)

    def apply(self, path: str, body: Mapping[str, Any], manager: str) -> Any:
        """Server-side apply, with force: what this manager writes is nobody else's. The one request that changes a cluster."""
        query = {"fieldManager": manager, "force": "true"}
        return self._patiently("PATCH", path, "application/json", query, body, "application/apply-patch+yaml")

    def stream(self, path: str, timeout: float | None = None, on_open: Callable[[], None] | None = None, **query: Any) -> Iterator[Any]:
        """The objects of a watch, line by line, until the server ends it. `timeout`: seconds of silence after which it counts as broken.

        `on_open` is called when the server has taken the watch, which may be long before it has something to say.
        """
        response = self._send("GET", path, "application/json", query, None, stream=True, timeout=timeout)
        if on_open is not None:
            on_open()
        try:
            rest = b""
            for chunk in response.stream(65536, decode_content=True):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    if line.strip():
                        yield json.loads(line)
        finally:
            response.release_conn()

    # ---- one request ----

    def _patiently(
        self, method: str, path: str, accept: str, query: Mapping[str, Any], body: Any, written: str = "application/json"
    ) -> Any:
        start, pause, renewed = time.monotonic(), 0.25, False
        while True:
            client = self.client
            try:
                response = self._send(method, path, accept, query, body, written)
                raw = response.data
                self._answered = time.monotonic()
                return json.loads(raw)
            except ApiError as error:
                if error.code == 401 and not renewed:
                    renewed = True  # a token that was renewed on disk, or an exec plugin with a new one
                    self._renew(client)
                    continue
                if error.code == 401:
                    why = self._why_unknown()
                    raise UnreadableError(
                        f"{self.where}: the API server does not accept the credentials (401 {error.message}): log in again"
                        + (f" ({why})" if why else "")
                    ) from None
                after = _retry_after(error)
                if error.code not in _AGAIN and error.code != 0:
                    self._answered = time.monotonic()
                    raise
                if not self._is_worth_waiting(start, max(pause, after)):
                    if error.code == 0:
                        what = "stopped answering" if self._answered else "does not answer"
                        raise UnreadableError(
                            f"{self.where}: the API server at {self.server}{self._through} {what}: {error.message}"
                        ) from None
                    raise
                self._wait(max(after, pause * random.uniform(0.8, 1.2)), path, error)
                pause = min(2 * pause, _LONGEST_PAUSE)
            except ValueError as error:
                raise ApiError(0, f"the answer is no JSON: {error}") from None

    def _is_worth_waiting(self, start: float, pause: float) -> bool:
        now = time.monotonic() + pause
        if not self._answered:
            return now - start < FIRST_PATIENCE
        alone = self._answered > start  # others were answered meanwhile
        return now - start < PATIENCE_OF_ONE if alone else now - max(start, self._answered) < PATIENCE and now - self._answered < PATIENCE

    def _wait(self, seconds: float, path: str, error: ApiError) -> None:
        self.retries += 1
        if self.on_wait is not None:
            self.on_wait(f"{error.code or 'no answer'} for {path} ({error.message[:80]}): again in {seconds:.1f} s")
        time.sleep(seconds)

    def _renew(self, refused: Any) -> None:
        with self._lock:
            if self._client is refused:  # else another thread has done it
                self._client = None

    def _send(
        self,
        method: str,
        path: str,
        accept: str,
        query: Mapping[str, Any],
        body: Any,
        written: str = "application/json",
        *,
        stream: bool = False,
        timeout: float | None = None,
    ) -> Any:
        import urllib3

        self.requests += 1
        client = self.client
        fields = urllib3.HTTPHeaderDict({"Accept": accept})
        for name, text in self._own_headers(client):
            fields.add(name, text)
        if body is not None:
            fields["Content-Type"] = written
        wanted = {name: value for name, value in query.items() if value is not None}
        url = client.configuration.host + path
        if wanted:
            from urllib.parse import urlencode

            url += "?" + urlencode(wanted)
        try:
            response = client.rest_client.pool_manager.request(
                method,
                url,
                headers=fields,
                body=json.dumps(body) if body is not None else None,
                preload_content=not stream,
                redirect=False,
                retries=False,
                timeout=urllib3.Timeout(connect=min(self._timeout, 10.0), read=timeout or self._timeout),
            )
        except urllib3.exceptions.HTTPError as error:
            if told := lasting(error):
                raise UnreadableError(f"{self.where}: the API server at {self.server}{self._through} cannot be asked: {told}") from None
            raise ApiError(0, words(error)) from None
        except OSError as error:
            raise ApiError(0, str(error)) from None
        if response.status >= 400:
            raise _refused(response)
        return response

    def _own_headers(self, client: Any) -> Iterator[tuple[str, str]]:
        """Who asks, and with which right."""
        yield "User-Agent", "meshcheck"
        for setting in client.configuration.auth_settings().values():  # renews a token that is kept in a file
            yield setting["key"], setting["value"]
        yield from self._headers

    def open_socket(self, seconds: float) -> tuple[Any, tuple[tuple[str, str], ...]]:
        """A connection to the server for a protocol of one's own, and the headers that say who asks. Raises ApiError.

        It is made as for every request, with the proxy and the certificates; nobody else uses it.
        """
        import urllib3

        client = self.client
        pool = client.rest_client.pool_manager.connection_from_url(client.configuration.host)
        connection = pool._new_conn()  # what the library does itself before a request; it has no public name for it
        connection.timeout = seconds
        try:
            if pool.proxy is not None and pool.scheme == "https":
                pool._prepare_proxy(connection)
            else:
                connection.connect()
        except urllib3.exceptions.HTTPError as error:
            raise ApiError(0, lasting(error) or words(error)) from None
        except OSError as error:
            raise ApiError(0, str(error)) from None
        return connection.sock, tuple(self._own_headers(client))


def _refused(response: Any) -> ApiError:
    raw = response.data
    try:
        status = json.loads(raw)
    except ValueError:
        status = {}
    if not isinstance(status, dict):
        status = {}
    status["retryAfter"] = response.headers.get("Retry-After")
    text = raw.decode("utf-8", "replace").strip()
    return ApiError(response.status, str(status.get("message") or text[:200] or response.reason), status)


def _retry_after(error: ApiError) -> float:
    """Seconds that the server asks to wait; long ones are cut, so that nobody sits before a silent terminal."""
    details = error.status.get("details")
    found = error.status.get("retryAfter") or (details.get("retryAfterSeconds") if isinstance(details, dict) else None)
    try:
        return min(max(float(found), 0.0), 30.0) if found is not None else 0.0
    except (TypeError, ValueError):
        return 0.0
