"""From sources to a World: decode, and find the mesh config."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from typing import Any

from meshcheck.decode.collect import collect
from meshcheck.decode.injection import decode_settings
from meshcheck.decode.mesh_config import decode_mesh_config, decode_topology
from meshcheck.errors import MeshcheckError, UnreadableError
from meshcheck.load.injection import CONFIG_MAP, FIELD, settings_text
from meshcheck.load.lines import read_text
from meshcheck.load.read import Reading
from meshcheck.model.cluster_kinds import MESH_CONFIG
from meshcheck.model.coverage import Coverage
from meshcheck.model.injection import InjectorSettings
from meshcheck.model.inventory import Inventory
from meshcheck.model.mesh_config import MeshConfig, Topology
from meshcheck.model.objects import Meta
from meshcheck.model.record import replace
from meshcheck.model.revisions import Revisions, revision_of
from meshcheck.semantics.world import World


def build_world(
    reading: Reading,
    *,
    closed: bool = False,
    namespace: str | None = None,
    mesh_text: str | None = None,
    root_namespace: str | None = None,
    trust_domain: str | None = None,
    sidecars: frozenset[str] = frozenset(),
) -> World:
    """The World of what was read. `mesh_text` is mesh config as YAML; the `istio` ConfigMap of the input wins over it."""
    inventory = collect(reading.documents, namespace or "default")
    if reading.coverage is not None:
        inventory = replace(inventory, coverage=_covered(reading.coverage, mesh_text))
    mesh = _with_topologies(_mesh(inventory, mesh_text, root_namespace, trust_domain), inventory)
    return World(inventory, mesh, closed=closed, injected=sidecars, revisions=Revisions({}, _injectors(inventory)))


def _covered(coverage: Coverage, mesh_text: str | None) -> Coverage:
    """What is known in full; mesh config that is given by hand is known."""
    if not mesh_text:
        return coverage
    gaps = tuple(gap for gap in coverage.gaps if gap.heading != MESH_CONFIG)
    return Coverage(coverage.read | {MESH_CONFIG}, gaps, coverage.named)


def world_of(options: argparse.Namespace, reading: Reading) -> World:
    """The World that a command's options ask for."""
    return build_world(
        reading,
        closed=options.closed_world,
        namespace=options.namespace,
        mesh_text=read_text(options.mesh_config) if options.mesh_config else None,
        root_namespace=options.root_namespace,
        trust_domain=options.trust_domain,
        sidecars=frozenset(name for name in options.sidecars.split(",") if name),
    )


def world_of_line(line: Mapping[str, Any], reading: Reading) -> World:
    """The World of a line of a batch."""
    return build_world(reading, closed=line.get("closed_world") is True, mesh_text=line.get("mesh_config") or None)


def warn(reading: Reading, world: World) -> None:
    """What could not be read or used, on standard error: the answer is without it."""
    for note in reading.not_read:
        if note.fatal:
            print(f"meshcheck: {note.place}: not read: {note.reason}", file=sys.stderr)
    for refused in world.inventory.refused:
        by = {"api-server": "the API server refuses it", "istiod": "Istio's webhook refuses it"}.get(
            refused.refused_by or "", "it cannot be used"
        )
        place = reading.place(refused.origin, refused.path)
        print(f"meshcheck: {place or refused.ref}: {refused.ref}: {by}: {refused.message}", file=sys.stderr)
    for noted in world.inventory.noted:
        if noted.ref.kind.endswith(("Policy", "Authentication")):
            print(f"meshcheck: {reading.place(noted.origin, noted.path) or noted.ref}: {noted.ref}: {noted.message}", file=sys.stderr)


def _mesh(inventory: Inventory, text: str | None, root_namespace: str | None, trust_domain: str | None) -> MeshConfig:
    from_cluster = [
        (meta, data["mesh"]) for meta, data in inventory.of("ConfigMap") if _is_mesh_config(meta.name) and isinstance(data.get("mesh"), str)
    ]
    if from_cluster:
        meta, found = min(from_cluster, key=lambda item: (item[0].name != "istio", item[0].name))
        return decode_mesh_config(
            _values(found, f"ConfigMap {meta.namespace}/{meta.name}"), meta, root_namespace=root_namespace, trust_domain=trust_domain
        )
    return decode_mesh_config(_values(text, "mesh config") if text else {}, None, root_namespace=root_namespace, trust_domain=trust_domain)


def _injectors(inventory: Inventory) -> dict[str, InjectorSettings]:
    """The settings of Istio's injector, by revision."""
    out = {}
    for meta, data in inventory.of("ConfigMap"):
        if (revision := revision_of(meta.name, CONFIG_MAP)) is not None and FIELD in data:
            out[revision] = _injector(meta, data[FIELD])
    return out


def _injector(meta: Meta, text: Any) -> InjectorSettings:
    where = f"`{FIELD}` of ConfigMap {meta.namespace}/{meta.name}"
    if not isinstance(text, str):
        return InjectorSettings(meta=meta, broken=f"{where} was left out of the snapshot")
    try:
        return decode_settings(_values(settings_text(text), where), meta)
    except MeshcheckError as error:
        print(f"meshcheck: {error}", file=sys.stderr)
        return InjectorSettings(meta=meta, broken=str(error))


def _with_topologies(mesh: MeshConfig, inventory: Inventory) -> MeshConfig:
    """Mesh config, and beside it what the annotations of pods say about the proxies before them."""
    found: dict[str, Topology] = {}
    for workload in inventory.of("Workload"):
        text = workload.pod_annotations.get("proxy.istio.io/config")
        if text and text not in found:
            try:
                found[text] = decode_topology(_values(text, f"annotation proxy.istio.io/config of {workload}"))
            except MeshcheckError as error:
                print(f"meshcheck: {error}", file=sys.stderr)
    return replace(mesh, pod_topologies=found) if found else mesh


def _is_mesh_config(name: str) -> bool:
    return name == "istio" or (name.startswith("istio-") and name not in ("istio-sidecar-injector", "istio-ca-root-cert"))


def _values(text: str, where: str) -> dict[str, Any]:
    from meshcheck.load import exact_yaml

    try:
        value = exact_yaml.read(text)
    except UnreadableError as error:
        raise MeshcheckError(f"{where}: {error}") from None
    if not isinstance(value, dict):
        raise MeshcheckError(f"{where}: not a mapping of mesh settings")
    return value
