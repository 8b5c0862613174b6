"""meshcheck and a real Traefik on random worlds: `python -m tests.differential.traefik.run --worlds 20 --seed 7`."""

# ruff: noqa: E501  tables
from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.differential.edge import cluster, sandbox, shop
from tests.differential.edge.calls import Call, send
from tests.differential.edge.certificates import self_signed
from tests.differential.edge.pods import pods
from tests.differential.edge.run import World, main
from tests.differential.traefik import program
from tests.differential.traefik.worlds import Writer
from tests.support.apiserver import ApiServer

Json = dict[str, Any]
KINDS = [
    ("v1", "Namespace"), ("v1", "Service"), ("v1", "Pod"), ("v1", "Secret"), ("discovery.k8s.io/v1", "EndpointSlice"),
    ("networking.k8s.io/v1", "IngressClass"), ("networking.k8s.io/v1", "Ingress"), ("traefik.io/v1alpha1", "IngressRoute"), ("traefik.io/v1alpha1", "Middleware"),
]  # fmt: skip
VIA = {"namespace": program.SPACE, "name": program.NAME}


def rounds(seed: int, worlds: int, calls: int) -> Iterator[tuple[str, World]]:
    """Worlds that Traefik has taken in."""
    with tempfile.TemporaryDirectory() as name, ApiServer() as server, pods(shop.PORT):
        program.apply_crds(server)
        shop.put(server)
        shop.controller(server, program.SPACE, program.NAME, program.LABELS, "traefik", program.POINTS, {"http": 80, "https": 443})
        cluster.create(
            server,
            [
                {
                    "apiVersion": "networking.k8s.io/v1",
                    "kind": "IngressClass",
                    "metadata": {"name": "traefik"},
                    "spec": {"controller": "traefik.io/ingress-controller"},
                }
            ],
        )
        with program.running(server, Path(name)) as started:
            for n in range(seed, seed + worlds):
                draw = random.Random(n)
                writer = Writer(draw, self_signed(["a.example", "*.w.example", "b.example"]))
                _apply(server, started, n, writer)
                objects = cluster.read_back(server, KINDS)
                yield str(n), World(objects, writer.calls(calls, ["a.example", "b.example", "x.w.example"]), VIA)


def _apply(server: ApiServer, started: sandbox.Program, number: int, writer: Writer) -> None:
    """Put a world there and wait until Traefik has it."""
    kinds = [
        ("traefik.io/v1alpha1", "IngressRoute"),
        ("traefik.io/v1alpha1", "Middleware"),
        ("networking.k8s.io/v1", "Ingress"),
        ("v1", "Secret"),
    ]
    cluster.clear(server, kinds, [shop.NAMESPACE])
    cluster.create(server, writer.objects())
    time.sleep(0.8)
    host = f"sync{number}.example"
    spec = {"routes": [{"match": f"Host(`{host}`)", "kind": "Rule", "services": [{"name": "auth", "port": 80}]}]}
    marker = {
        "apiVersion": "traefik.io/v1alpha1",
        "kind": "IngressRoute",
        "metadata": {"name": "sync", "namespace": shop.NAMESPACE},
        "spec": spec,
    }
    cluster.create(server, [marker])
    sandbox.wait_for(f"world {number}", 40, started, until=lambda: send(Call(host, "/", source=sandbox.DOOR)).status == 200)
    time.sleep(0.8)


if __name__ == "__main__":
    main("Compare meshcheck with a real Traefik.", "tests.differential.traefik.run", rounds)
