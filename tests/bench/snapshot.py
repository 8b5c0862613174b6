"""What a snapshot of a cluster costs, beside `kubectl get … -o json` of the same kinds. Needs KUBEBUILDER_ASSETS (tests/cluster).

python tests/bench/snapshot.py [SERVICES]          # 1,000
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import mesh
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from meshcheck.model.cluster_kinds import CALL, RBAC, kinds_for
from tests.cluster.conftest import apply_crds
from tests.cluster.contents import put
from tests.support.apiserver import ApiServer, find_binary


def measured(*command: str, env: dict[str, str], out: Path | None = None) -> tuple[float, int]:
    """Seconds, and MiB at most, of a command."""
    start = time.monotonic()
    with (out or Path(os.devnull)).open("wb") as stream:
        process = subprocess.Popen(command, env=env, stdout=stream, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
    assert os.waitstatus_to_exitcode(status) in (0, 1), command
    return time.monotonic() - start, usage.ru_maxrss // 1024


def main(services: int) -> None:
    with tempfile.TemporaryDirectory() as folder, ApiServer() as server:
        apply_crds(server)
        mesh.write(Path(folder), services)
        texts = [path.read_text() for path in sorted(Path(folder).rglob("*.yaml"))]
        documents = [d for text in texts for d in yaml.load_all(text, yaml.CSafeLoader) if isinstance(d, dict)]
        load(server, documents)
        env = {**os.environ, "KUBECONFIG": server.kubeconfig()}
        known = server.kubectl("api-resources", "--verbs=list", "-o", "name").stdout.split()
        kinds = ",".join(k.resource for k in kinds_for(CALL, RBAC) if k.resource in known)
        meshcheck = str(Path(sys.executable).parent / "meshcheck")
        file, dump = Path(folder, "s"), Path(folder, "dump.json")
        rows = {
            "kubectl get -o json": (*measured(str(find_binary("kubectl")), "get", kinds, "-A", "-o", "json", env=env, out=dump), dump),
            "meshcheck snapshot": (*measured(meshcheck, "snapshot", "-o", str(file), env=env), file),
        }
        print(f"{len(documents)} objects of a mesh of {services} services")
        for name, (seconds, memory, written) in rows.items():
            print(f"{name:<22} {seconds:6.2f} s  {memory:5} MiB  {written.stat().st_size / 1024:8.0f} KiB")


def load(server: ApiServer, documents: list[dict[str, Any]]) -> None:
    """Namespaces first, the rest from several threads."""
    put(server, [d for d in documents if d["kind"] == "Namespace"])
    rest = [d for d in documents if d["kind"] != "Namespace"]
    with ThreadPoolExecutor(8) as threads:
        refused = [line for lines in threads.map(lambda n: put(server, rest[n::8]), range(8)) for line in lines]
    assert not refused, refused[:3]


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
