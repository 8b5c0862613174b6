#!/usr/bin/env python3
"""Questions a second through a gateway, in a small and in a large configuration: the cost must not grow with the number of routes.

usage: python tests/bench/gateways.py

10,000 brief questions each over 100 hosts with 500 routes and over 1,000 hosts with 5,000 routes (a VirtualService a host, five routes
each), asked in one batch a world. The ratio of the two rates is what counts: machines are noisy, ratios are not.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

QUESTIONS = 10_000
ROUTES_A_HOST = 5

POD = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: ingress, namespace: istio-system}
spec:
  selector: {matchLabels: {istio: ingress}}
  template: {metadata: {labels: {istio: ingress}}, spec: {containers: [{name: istio-proxy, image: auto}]}}
---
apiVersion: v1
kind: Service
metadata: {name: ingress, namespace: istio-system}
spec: {type: LoadBalancer, externalTrafficPolicy: Local, selector: {istio: ingress}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: public, namespace: istio-system}
spec: {selector: {istio: ingress}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
"""


def world(hosts: int) -> str:
    """Manifests with a Service, its pods and a VirtualService for each host."""
    out = [POD]
    for n in range(hosts):
        routes = ", ".join(
            f"{{match: [{{uri: {{prefix: /r{r}/}}}}], route: [{{destination: {{host: s{n}, port: {{number: 80}}}}}}]}}"
            for r in range(ROUTES_A_HOST)
        )
        out.append(
            f"apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: v{n}, namespace: shop}}\n"
            f"spec: {{hosts: [h{n}.example.com], gateways: [istio-system/public], http: [{routes}]}}\n"
        )
        out.append(
            f"apiVersion: v1\nkind: Service\nmetadata: {{name: s{n}, namespace: shop}}\n"
            f"spec: {{selector: {{app: s{n}}}, ports: [{{name: http, port: 80, targetPort: 8080}}]}}\n"
        )
        out.append(
            f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: s{n}, namespace: shop}}\n"
            f"spec: {{selector: {{matchLabels: {{app: s{n}}}}}, "
            f"template: {{metadata: {{labels: {{app: s{n}}}}}, spec: {{containers: [{{name: a, image: b}}]}}}}}}\n"
        )
    return "---\n".join(out)


def seconds(hosts: int, questions: int, folder: Path) -> float:
    """Wall time of a batch."""
    asked = [
        {
            "id": str(n),
            "from": {"external": True},
            "source_ip": "203.0.113.9",
            "to": {"url": f"http://h{n % hosts}.example.com/r{n % ROUTES_A_HOST}/x"},
        }
        for n in range(questions)
    ]
    batch = folder / "batch.jsonl"
    batch.write_text(json.dumps({"id": "w", "closed_world": True, "manifests": world(hosts), "questions": asked}) + "\n")
    start = time.perf_counter()
    command = [sys.executable, "-m", "meshcheck", "trace", "--batch", str(batch), "-o", "jsonl", "--brief"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    took = time.perf_counter() - start
    rows = [json.loads(line)["trace"]["verdict"] for line in done.stdout.splitlines()]
    assert rows == ["allowed"] * questions, f"{len(rows)} answers, {rows.count('allowed')} of them allowed"
    return took


def main() -> None:
    """Print rates, and their ratio."""
    rates = []
    with tempfile.TemporaryDirectory() as scratch:
        for hosts in (100, 1_000):
            read = seconds(hosts, 1, Path(scratch))
            took = seconds(hosts, QUESTIONS, Path(scratch)) - read
            rates.append(QUESTIONS / took)
            print(f"{hosts:>6} hosts, {hosts * ROUTES_A_HOST:>6} routes: read {read:5.2f} s, {rates[-1]:7.0f} brief questions/s")
    print(f"ratio of the rates: {rates[1] / rates[0]:.2f} (1 is flat)")


if __name__ == "__main__":
    main()
