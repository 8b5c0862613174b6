"""From sources to a World: decode, and find the mesh config."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from meshcheck.decode.collect import Remembered, collect
from meshcheck.decode.injection import decode_settings
from meshcheck.decode.mesh_config import decode_mesh_config, decode_topology, merged_mesh_config
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
from meshcheck.model.revisions import BY_REVISION, DEFAULT, LABEL, Revisions, revision_of
from meshcheck.semantics.world import World
from meshcheck.semantics.world.control_plane import shared_names

NO_MESH_CONFIG = ("istio-sidecar-injector", "istio-ca-root-cert")
"""ConfigMaps whose names begin like those of mesh config."""


def build_world(
    reading: Reading,
    *,
    closed: bool = False,
    namespace: str | None = None,
    mesh_text: str | None = None,
    root_namespace: str | None = None,
    trust_domain: str | None = None,
    sidecars: frozenset[str] = frozenset(),
    remembered: Remembered | None = None,
) -> World:
    """The World of what was read. `mesh_text` is mesh config as YAML; the `istio` ConfigMap of the input wins over it."""
    inventory = collect(reading.documents, namespace or "default", remembered)
    if reading.coverage is not None:
        inventory = replace(inventory, coverage=_covered(reading.coverage, mesh_text))
    topologies = _topologies(inventory)
    meshes = {revision: replace(mesh, pod_topologies=topologies) for revision, mesh in _meshes(inventory, root_namespace, trust_domain)}
    values = _values(mesh_text, "mesh config") if mesh_text and not meshes else {}
    given = decode_mesh_config(values, None, root_namespace=root_namespace, trust_domain=trust_domain)
    mesh = next(iter(meshes.values()), None) or replace(given, pod_topologies=topologies)
    return World(inventory, mesh, closed=closed, injected=sidecars, revisions=_revisions(inventory, meshes))


def _covered(coverage: Coverage, mesh_text: str | None) -> Coverage:
    """What is known in full; mesh config that is given by hand is known."""
    if not mesh_text:
        return coverage
    gaps = tuple(gap for gap in coverage.gaps if gap.heading != MESH_CONFIG)
    return Coverage(coverage.read | {MESH_CONFIG}, gaps, coverage.named)


def world_of(options: argparse.Namespace, reading: Reading, remembered: Remembered | None = None) -> World:
    """The World that a command's options ask for."""
    return build_world(
        reading,
        closed=options.closed_world,
        namespace=options.namespace,
        mesh_text=read_text(options.mesh_config) if options.mesh_config else None,
        root_namespace=options.root_namespace,
        trust_domain=options.trust_domain,
        sidecars=frozenset(name for name in options.sidecars.split(",") if name),
        remembered=remembered,
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


def _meshes(inventory: Inventory, root_namespace: str | None, trust_domain: str | None) -> Iterator[tuple[str, MeshConfig]]:
    """Mesh config by revision; the first one is that of the default revision, where there is one."""
    found: dict[str, tuple[Meta, str]] = {}
    for meta, data in sorted(inventory.of("ConfigMap"), key=lambda item: str(item[0].name)):
        revision = revision_of(meta.name, "istio")
        if revision is not None and isinstance(data.get("mesh"), str) and not meta.name.startswith(NO_MESH_CONFIG):
            found.setdefault(revision, (meta, data["mesh"]))
    shared = shared_names(inventory.of("Workload")) if found else {}
    texts = {(meta.namespace, meta.name): data.get("mesh") for meta, data in inventory.of("ConfigMap")} if shared else {}
    for revision, (meta, text) in sorted(found.items(), key=lambda item: (item[0] != DEFAULT, item[0])):
        values = _values(text, f"ConfigMap {meta.namespace}/{meta.name}")
        user = texts.get((meta.namespace, shared.get((meta.namespace, revision), "")))
        if isinstance(user, str):
            name = shared[meta.namespace, revision]
            values = merged_mesh_config(_values(user, f"ConfigMap {meta.namespace}/{name}"), values)
        yield revision, decode_mesh_config(values, meta, root_namespace=root_namespace, trust_domain=trust_domain)


def _revisions(inventory: Inventory, meshes: Mapping[str, MeshConfig]) -> Revisions:
    """What distinguishes the revisions of Istio."""
    labelled = frozenset(o.meta.labels[LABEL] for heading in BY_REVISION for o in inventory.of(heading) if LABEL in o.meta.labels)
    first = next(iter(meshes.values()), None)
    differ = any(not mesh.means_the_same(first) for mesh in meshes.values()) if first is not None else False
    return Revisions(meshes, _injectors(inventory), labelled, differ or bool(labelled))


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


def _topologies(inventory: Inventory) -> dict[str, Topology] | None:
    """What the annotations of pods say about the proxies before them."""
    found: dict[str, Topology] = {}
    for workload in inventory.of("Workload"):
        text = workload.pod_annotations.get("proxy.istio.io/config")
        if text and text not in found:
            try:
                found[text] = decode_topology(_values(text, f"annotation proxy.istio.io/config of {workload}"))
            except MeshcheckError as error:
                print(f"meshcheck: {error}", file=sys.stderr)
    return found or None


def _values(text: str, where: str) -> dict[str, Any]:
    from meshcheck.load import exact_yaml

    try:
        value = exact_yaml.read(text)
    except UnreadableError as error:
        raise MeshcheckError(f"{where}: {error}") from None
    if not isinstance(value, dict):
        raise MeshcheckError(f"{where}: not a mapping of mesh settings")
    return value
