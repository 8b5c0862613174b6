"""meshcheck and a real ingress-nginx on random worlds: `python -m tests.differential.ingress_nginx.run --worlds 20 --seed 7`."""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.differential.edge import cluster, sandbox, shop
from tests.differential.edge.certificates import self_signed
from tests.differential.edge.pods import pods
from tests.differential.edge.run import World, main
from tests.differential.ingress_nginx import program
from tests.differential.ingress_nginx.worlds import ASKED_HOSTS, HOSTS, Writer
from tests.support.apiserver import ApiServer

Json = dict[str, Any]
KINDS = [
    ("v1", "Namespace"), ("v1", "Service"), ("v1", "Pod"), ("v1", "Secret"), ("v1", "ConfigMap"), ("discovery.k8s.io/v1", "EndpointSlice"),
    ("networking.k8s.io/v1", "IngressClass"), ("networking.k8s.io/v1", "Ingress"),
]  # fmt: skip
CLASSES = {"nginx": "k8s.io/ingress-nginx", "second": "k8s.io/ingress-nginx", "other": "example.com/another"}
VIA = {"namespace": program.SPACE, "name": program.NAME}


def rounds(seed: int, worlds: int, calls: int) -> Iterator[tuple[str, World]]:
    """Worlds that the controller has taken in."""
    with tempfile.TemporaryDirectory() as name, ApiServer() as server, pods(shop.PORT):
        shop.put(server)
        args = ["/nginx-ingress-controller", *program.OPTIONS]
        shop.controller(server, program.SPACE, program.NAME, program.LABELS, program.IMAGE, args, {"http": 80, "https": 443})
        cluster.create(server, (_class(n, c) for n, c in CLASSES.items()))
        cluster.create(server, [_config({})])
        with program.running(server, Path(name)) as controller:
            for n in range(seed, seed + worlds):
                draw = random.Random(n)
                writer = Writer(draw, self_signed(["a.example", "*.w.example"]))
                refused = _apply(server, controller, n, writer)
                objects = cluster.read_back(server, KINDS)
                hosts = [r["host"] for o in objects if o["kind"] == "Ingress" for r in o["spec"].get("rules", ()) if r.get("host")]
                concrete = [h.replace("*", "q") for h in hosts if h != "sync.example"]
                yield str(n), World(objects, writer.calls(calls, concrete), VIA, refused)


def _class(name: str, controller: str) -> Json:
    return {"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": name}, "spec": {"controller": controller}}


def _config(data: dict[str, str]) -> Json:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": program.NAME, "namespace": program.SPACE}, "data": data}


def _apply(server: ApiServer, controller: sandbox.Program, number: int, writer: Writer) -> str:
    """Put a world there and wait until nginx runs with it; what nginx says when it refuses it."""
    cluster.clear(server, [("networking.k8s.io/v1", "Ingress"), ("v1", "Secret")], [shop.NAMESPACE])
    cluster.create(server, [_config(writer.config())])
    objects = writer.objects()
    cluster.create(server, [o for o in objects if o["kind"] != "Ingress"])
    time.sleep(0.5)
    _forget_certificates()
    cluster.create(server, [o for o in objects if o["kind"] == "Ingress"])
    time.sleep(1.2)  # what is older than the last one is told by seconds
    seen = len(controller.text())
    cluster.create(server, [_marker(number)])
    deadline, path = time.monotonic() + 40, f"/{number}"
    while time.monotonic() < deadline:
        controller.check()
        fresh = controller.text()[seen:]
        if _is_there(path) and fresh.rfind("Dynamic reconfiguration succeeded") > fresh.rfind("Backend successfully reloaded") >= 0:
            time.sleep(0.3)
            return ""
        if "Unexpected failure reloading the backend" in fresh:
            time.sleep(1.5)
            if not _is_there(path):
                return next((line for line in fresh.splitlines() if "[emerg]" in line), fresh[-2000:])
        time.sleep(0.1)
    raise AssertionError(f"world {number} is not taken in:\n{controller.text()[seen - 1500 :][-6000:]}")


def _forget_certificates() -> None:
    """nginx's memory keeps the certificates of hosts that are gone, and sends their callers on to TLS until it starts anew."""
    body = json.dumps({"servers": dict.fromkeys({*HOSTS, *ASKED_HOSTS, "sync.example", "*.alias.example"}, "-1"), "certificates": {}})
    connection = http.client.HTTPConnection("127.0.0.1", 10246, timeout=5)
    with contextlib.suppress(OSError), contextlib.closing(connection):
        connection.request("POST", "/configuration/servers", body, {"content-type": "application/json"})
        connection.getresponse()


def _is_there(path: str) -> bool:
    return f'location = "{path}" ' in Path("/etc/nginx/nginx.conf").read_text()


def _marker(number: int) -> Json:
    backend = {"service": {"name": "auth", "port": {"number": 80}}}  # which no canary takes
    spec = {
        "ingressClassName": "nginx",
        "rules": [{"host": "sync.example", "http": {"paths": [{"path": f"/{number}", "pathType": "Exact", "backend": backend}]}}],
    }
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "zz-sync", "namespace": shop.NAMESPACE},
        "spec": spec,
    }


if __name__ == "__main__":
    main("Compare meshcheck with a real ingress-nginx.", "tests.differential.ingress_nginx.run", rounds)
