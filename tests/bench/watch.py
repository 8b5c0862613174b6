"""How long a watch takes from a change to the new report, and what it costs: a real API server, a mesh of 1,000 services.

python tests/bench/watch.py [SERVICES [MESHCHECK]]      # needs KUBEBUILDER_ASSETS; MESHCHECK: another installation to compare with
"""

from __future__ import annotations

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mesh
import yaml
from snapshot import load

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.cluster.conftest import apply_crds
from tests.cluster.contents import put
from tests.support.apiserver import ApiError, ApiServer

REPORT = "/api/v1/namespaces/default/configmaps/meshcheck-report"
ROUNDS, QUESTIONS = 5, 50
MERGE = "application/merge-patch+json"


class Watch:
    """A watch that runs beside the server."""

    def __init__(self, server: ApiServer, folder: Path, program: str, services: int) -> None:
        self.server = server
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        questions = []
        for number in range(QUESTIONS):  # each tenth is refused: its causes and fixes are looked for
            caller, target = mesh.place(number), mesh.place(number + (1 if number % 10 else 5))
            questions.append({"id": f"q{number}", "from": "/".join(caller), "to": f"http://{target[1]}.{target[0]}/api/items"})
        checks = [{"name": "lint", "lint": {}}, {"name": "calls", "questions": questions}]
        config = {"checks": checks, "report": {"configMap": {}, "log": "none"}, "watch": {"debounce": "100ms"}}
        (folder / "job.yaml").write_text(json.dumps(config))
        arguments = ["job", "--config", str(folder / "job.yaml"), "--watch", "--serve", f"127.0.0.1:{self.port}", "--log-format", "json"]
        self.log = (folder / "watch.log").open("wb")
        env = {**os.environ, "KUBECONFIG": server.kubeconfig()}
        self.process = subprocess.Popen([program, *arguments], env=env, stdout=self.log, stderr=self.log)

    def metric(self, name: str, labels: str = "") -> float:
        """A sample of what it exports; the sum where there are several."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as reply:
            lines = reply.read().decode().splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith((f"{name} ", f"{name}{{")) and labels in line)

    def passes(self) -> float:
        return self.metric("meshcheck_passes_total")

    def version(self) -> str:
        try:
            return str(self.server.request("GET", REPORT)["metadata"]["resourceVersion"])
        except ApiError:
            return ""

    def until(self, true: Callable[[], object]) -> float:
        """Seconds until something is so."""
        begun = time.monotonic()
        while True:
            try:
                if true():
                    return time.monotonic() - begun
            except OSError:
                pass
            assert self.process.poll() is None, "the watch has ended"
            assert time.monotonic() - begun < 600
            time.sleep(0.02)


def changes(server: ApiServer, number: int) -> dict[str, Callable[[], Any]]:
    """One change of each of some kinds; `number` makes it another one each time."""
    namespace, name = mesh.place(0)
    istio = f"/apis/security.istio.io/v1/namespaces/{namespace}"
    label = {"metadata": {"labels": {"round": str(number)}}}
    slice_ = {
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4", "ports": [{"port": 80}],
        "metadata": {"name": f"e{number}", "namespace": "apart"}, "endpoints": [{"addresses": [f"192.0.2.{number + 1}"]}],
    }  # fmt: skip
    pod = {
        "apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "a", "image": "b"}]},
        "metadata": {"name": f"p{number}", "namespace": namespace},
    }  # fmt: skip
    return {
        "AuthorizationPolicy": lambda: server.request("PATCH", f"{istio}/authorizationpolicies/allow-nothing", label, content_type=MERGE),
        "Pod": lambda: put(server, [pod]),
        "Service": lambda: server.request("PATCH", f"/api/v1/namespaces/{namespace}/services/{name}", label, content_type=MERGE),
        "EndpointSlice": lambda: put(server, [slice_]),
    }


def main(services: int, program: str) -> None:
    with tempfile.TemporaryDirectory() as folder, ApiServer() as server:
        apply_crds(server)
        mesh.write(Path(folder), services)
        texts = [path.read_text() for path in sorted(Path(folder).rglob("*.yaml"))]
        load(server, [d for text in texts for d in yaml.load_all(text, yaml.CSafeLoader) if isinstance(d, dict)])
        watch = Watch(server, Path(folder), program, services)
        try:
            first = watch.until(lambda: watch.passes() > 0 and watch.version())
            size = watch.metric("process_resident_memory_bytes") / 2**20
            print(f"{services} services, {QUESTIONS} questions: first report after {first:.1f} s, {size:.0f} MiB")
            for kind in changes(server, 0):
                took, cost = [], []
                for number in range(ROUNDS):
                    time.sleep(1 + 6 * watch.metric("meshcheck_pass_duration_seconds"))  # a pass is followed by a rest
                    passes, spent = watch.passes(), watch.metric("process_cpu_seconds_total")
                    changes(server, number)[kind]()
                    took.append(watch.until(lambda passes=passes: watch.passes() > passes))  # type: ignore[misc]
                    cost.append(watch.metric("process_cpu_seconds_total") - spent)
                told = f"{statistics.median(took):5.2f} s until it was judged, {statistics.median(cost):5.2f} s of a processor"
                print(f"  {kind:<20} {told} (medians of {ROUNDS})")
            print(f"  after {watch.passes():.0f} passes: {watch.metric('process_resident_memory_bytes') / 2**20:.0f} MiB")
        finally:
            watch.process.kill()
            watch.process.wait()
            watch.log.close()


if __name__ == "__main__":
    own = str(Path(sys.executable).parent / "meshcheck")
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000, sys.argv[2] if len(sys.argv) > 2 else own)
