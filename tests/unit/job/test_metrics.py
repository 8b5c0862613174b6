"""Metrics: valid in both formats, written whole, pushed, served."""

from __future__ import annotations

import socket
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import parser
from prometheus_client.openmetrics import exposition
from prometheus_client.openmetrics import parser as openmetrics_parser

from meshcheck.errors import MeshcheckError, UsageError
from meshcheck.job import metrics
from meshcheck.job.serve import address_of, serve
from meshcheck.job.state import State
from tests.unit.job.reports import finding, lint, passed, questions, refused, report


def state() -> State:
    found = State(watched=True)
    found.watches.update(connected=3)
    found.events.update(Pod=5)
    found.interruptions.update(expired=1)
    found.failed.update(configmap=1)
    found.finished(report(lint(finding(1), finding(2, "error")), questions(refused('quote " \\ and\nline'), passed("p"))))
    return found


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    families = openmetrics_parser.text_string_to_metric_families(text)
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}


def test_openmetrics_is_valid_and_complete() -> None:
    """The parser of the OpenMetrics project is strict: units, types, duplicates, the end."""
    found = samples(exposition.generate_latest(metrics.registry_of(state())).decode())
    assert found["meshcheck_findings", (("check", "manifests"), ("severity", "error"))] == 1
    assert found["meshcheck_rule_findings", (("check", "manifests"), ("code", "MC112"), ("severity", "warning"))] == 1
    assert found["meshcheck_question_ok", (("check", "calls"), ("question", 'quote " \\ and\nline'))] == 0
    assert found["meshcheck_question_verdict", (("check", "calls"), ("question", "p"), ("verdict", "denied"))] == 1
    assert found["meshcheck_check_result", (("check", "calls"), ("kind", "questions"), ("result", "failed"))] == 1
    assert found["meshcheck_objects", (("kind", "Pod"),)] == 2
    assert found["meshcheck_watch_interruptions_total", (("reason", "expired"),)] == 1
    assert found["meshcheck_output_failures_total", (("output", "configmap"),)] == 1
    assert found["meshcheck_passes_total", (("result", "failed"),)] == 1


def test_before_the_first_pass_there_is_no_result() -> None:
    found = samples(exposition.generate_latest(metrics.registry_of(State())).decode())
    assert found["meshcheck_ready", ()] == 0
    assert not any(name.startswith("meshcheck_check") for name, _ in found)


def test_textfile(tmp_path: Path) -> None:
    """In the older text format, which is what the node exporter reads; readable for it, and nothing else is left in the folder."""
    target = tmp_path / "meshcheck.prom"
    target.write_text("old")
    metrics.write_textfile(state(), str(target))
    families = {family.name: family for family in parser.text_string_to_metric_families(target.read_text())}
    assert families["meshcheck_gaps"].samples[0].value == 0
    assert [path.name for path in tmp_path.iterdir()] == ["meshcheck.prom"]
    assert target.stat().st_mode & 0o777 == 0o644
    (tmp_path / "file").write_text("")
    with pytest.raises(MeshcheckError, match="cannot be written"):
        metrics.write_textfile(state(), str(tmp_path / "file" / "m.prom"))


class _Gateway(BaseHTTPRequestHandler):
    got: list[tuple[str, str, str]]
    status = 200

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.got.append((self.path, self.headers["Content-Type"], body))
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *_: Any) -> None: ...


def test_push() -> None:
    """PUT replaces the group of the job, as the Pushgateway's documentation has it; a refusal and a closed port are said."""

    class Gateway(_Gateway):
        got: list[tuple[str, str, str]] = []  # noqa: RUF012

    with HTTPServer(("127.0.0.1", 0), Gateway) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        metrics.push(state(), url, "mesh-check")
        ((path, content_type, body),) = Gateway.got
        assert path == "/metrics/job/mesh-check"
        assert content_type.startswith("text/plain; version=")
        assert any(f.name == "meshcheck_findings" for f in parser.text_string_to_metric_families(body))
        Gateway.status = 400
        with pytest.raises(MeshcheckError, match="400"):
            metrics.push(state(), url, "meshcheck")
        server.shutdown()
    with pytest.raises(MeshcheckError, match="cannot be pushed"):
        metrics.push(state(), url, "meshcheck")


def get(port: int, path: str, **headers: str) -> tuple[int, str, str]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=10) as reply:
            return reply.status, reply.headers["Content-Type"], reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read().decode()


def test_serve() -> None:
    """Metrics in the format that was asked for; readiness after the first pass; health while the loop moves."""
    current = State(watched=True)
    server = serve(current, "127.0.0.1:0")
    try:
        assert get(server.port, "/healthz")[0] == 200
        assert get(server.port, "/readyz")[0] == 503
        current.finished(report(lint()))
        assert get(server.port, "/readyz")[:1] == (200,)
        current.alive(-1000)
        status, _, body = get(server.port, "/healthz")
        assert (status, body) == (503, "the loop has not moved for too long\n")
        current.alive(10)
        assert get(server.port, "/healthz")[0] == 200
        current.stuck = ("pods", "services")
        status, _, body = get(server.port, "/healthz")
        assert (status, body) == (503, "watches have not moved for too long: pods, services\n")
        status, content_type, body = get(server.port, "/metrics?x=1", Accept="application/openmetrics-text; version=1.0.0")
        assert (status, content_type.partition(";")[0]) == (200, "application/openmetrics-text")
        found = samples(body)
        assert found["meshcheck_ready", ()] == 1
        assert found["process_resident_memory_bytes", ()] > 1e6
        status, content_type, body = get(server.port, "/metrics")
        assert content_type.startswith("text/plain")
        assert get(server.port, "/report")[0] == 404
    finally:
        server.shutdown()
        server.server_close()


def test_serve_where_it_cannot() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(MeshcheckError, match="cannot listen: address already in use"):
            serve(State(), f"127.0.0.1:{taken.getsockname()[1]}")
    for text in ("8080", "a:b", ":70000", "::1:80"):
        with pytest.raises(UsageError, match="no address to listen on"):
            address_of(text)
    assert address_of(":8080") == ("", 8080)
    assert address_of("[::1]:8080") == ("::1", 8080)
