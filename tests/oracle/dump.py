#!/usr/bin/env python3
"""The `/config_dump` of a real Envoy that runs what a real istiod sends to a sidecar.

usage: python -m tests.oracle.dump MANIFESTS NAMESPACE/WORKLOAD OUT [--istiod PROGRAM]

Only the inbound listener runs (adapted as envoy.py says, and renamed to what it is called in a pod), so the dump is small. The node says
who it is, as in a pod. tests/unit/cli/proxy holds dumps that were made with this.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from tests.oracle import envoy
from tests.oracle.istiod import configurations, find_istiod
from tests.oracle.pki import Pki
from tests.oracle.world import Workload, documents, mesh_config, workload

Json = dict[str, Any]


def dump(manifests: str, namespace: str, name: str, binary: str, address: str = "127.40.251.1") -> Json:
    """The dump of the sidecar of a workload."""
    world = {"manifests": manifests}
    target = workload(documents(manifests), namespace, name)
    case = {
        "id": "w", "manifests": manifests + target.pod(), "mesh_config": mesh_config(world), "proxies": [target.proxy("sidecar")],
    }  # fmt: skip
    configured = configurations(binary, [case])["w"]["proxies"][target.id]
    listener = next(found for found in configured["listeners"] if found["name"] == "virtualInbound")
    with tempfile.TemporaryDirectory(prefix="oracle-") as scratch:
        folder = Path(scratch)
        pki, log = Pki(folder), folder / "access.log"
        files = envoy.Files(pki.issue(f"spiffe://cluster.local/{target.identity}"), str(pki.ca_file), str(log))
        chains = [envoy.adapted_chain(chain, files) for chain in listener["filter_chains"]]
        running = {
            "name": "virtualInbound",
            "traffic_direction": "INBOUND",
            "address": {"socket_address": {"address": address, "port_value": 15006}},
            "listener_filters": [found for found in listener.get("listener_filters", []) if "original_dst" not in found["name"]],
            "filter_chains": chains,
        }
        clusters = [envoy.static_cluster(found, None) for found in sorted(envoy.clusters_in([running]))]
        with envoy.Envoy(folder, [running], clusters, _node(target)) as started:
            found = started.config_dump()
        return _anonymous(found, scratch)


def _node(target: Workload) -> Json:
    """What a sidecar says of itself; istio/istio:pkg/bootstrap/config.go."""
    namespace = target.namespace
    return {
        "id": f"sidecar~{target.ip}~{target.id}.{namespace}~{namespace}.svc.cluster.local",
        "cluster": f"{target.name}.{namespace}",
        "metadata": {
            "NAME": target.id,
            "NAMESPACE": namespace,
            "WORKLOAD_NAME": target.name,
            "LABELS": target.labels,
            "ISTIO_VERSION": "1.31.0",
        },
    }


def _anonymous(found: Json, scratch: str) -> Json:
    """Without paths of this machine, and without what the bootstrap says twice."""
    for section in found["configs"]:
        if "bootstrap" in section:
            node = section["bootstrap"]["node"]
            section["bootstrap"] = {"node": {key: node[key] for key in ("id", "cluster", "metadata")}}
    kept = [section for section in found["configs"] if section["@type"].endswith(("BootstrapConfigDump", "ListenersConfigDump"))]
    text = json.dumps({"configs": kept}).replace(scratch, "/etc/oracle")
    anonymous: Json = json.loads(text)
    return anonymous


def main() -> None:
    """Write one dump."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifests", type=Path)
    parser.add_argument("workload", metavar="NAMESPACE/WORKLOAD")
    parser.add_argument("out", type=Path)
    parser.add_argument("--istiod", help="the Go program (default: $MESHCHECK_ISTIOD, or where it is built)")
    options = parser.parse_args()
    namespace, _, name = options.workload.partition("/")
    found = dump(options.manifests.read_text(), namespace, name, find_istiod(options.istiod))
    options.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
