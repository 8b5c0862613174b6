"""meshcheck and a real Contour with its Envoy on random worlds: `python -m tests.differential.contour.run --worlds 20 --seed 7`."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.differential.contour import program
from tests.differential.contour.worlds import Writer
from tests.differential.edge import cluster, sandbox, shop
from tests.differential.edge.calls import Call, send
from tests.differential.edge.certificates import self_signed
from tests.differential.edge.pods import pods
from tests.differential.edge.run import World, main
from tests.support.apiserver import ApiServer

Json = dict[str, Any]
KINDS = [
    ("v1", "Namespace"), ("v1", "Service"), ("v1", "Pod"), ("v1", "Secret"), ("discovery.k8s.io/v1", "EndpointSlice"),
    ("projectcontour.io/v1", "HTTPProxy"),
]  # fmt: skip
VIA = {"namespace": program.SPACE, "name": program.NAME}


def rounds(seed: int, worlds: int, calls: int) -> Iterator[tuple[str, World]]:
    """Worlds that Contour has taken in."""
    with tempfile.TemporaryDirectory() as name, ApiServer() as server, pods(shop.PORT):
        program.apply_crds(server)
        shop.put(server)
        shop.controller(server, program.SPACE, program.NAME, program.LABELS, "envoy", [], {"http": 80, "https": 443})
        with program.running(server, Path(name)) as programs:
            for n in range(seed, seed + worlds):
                draw = random.Random(n)
                writer = Writer(draw, self_signed(["a.example", "*.w.example", "b.example"]))
                _apply(server, programs, n, writer)
                objects = cluster.read_back(server, KINDS)
                hosts = [v["fqdn"] for o in objects if o["kind"] == "HTTPProxy" and (v := o["spec"].get("virtualhost"))]
                concrete = [h.replace("*", "q") for h in hosts if not h.startswith("sync")]
                yield str(n), World(objects, writer.calls(calls, concrete), VIA)


def _apply(server: ApiServer, programs: tuple[sandbox.Program, sandbox.Program], number: int, writer: Writer) -> None:
    """Put a world there and wait until Envoy has it."""
    cluster.clear(server, [("projectcontour.io/v1", "HTTPProxy")], [shop.NAMESPACE, shop.OTHER])
    cluster.create(server, writer.objects())
    time.sleep(0.7)
    host = f"sync{number}.example"
    spec = {"virtualhost": {"fqdn": host}, "routes": [{"directResponsePolicy": {"statusCode": 200}}]}
    marker = {
        "apiVersion": "projectcontour.io/v1",
        "kind": "HTTPProxy",
        "metadata": {"name": "sync", "namespace": shop.NAMESPACE},
        "spec": spec,
    }
    cluster.create(server, [marker])
    sandbox.wait_for(f"world {number}", 40, *programs, until=lambda: send(Call(host, "/", source=sandbox.DOOR)).status == 200)
    time.sleep(1.2)


if __name__ == "__main__":
    main("Compare meshcheck with a real Contour.", "tests.differential.contour.run", rounds)
