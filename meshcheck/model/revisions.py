"""The control planes of a mesh: each revision of Istio has settings of its own."""

from __future__ import annotations

from collections.abc import Mapping

from meshcheck.model.injection import InjectorSettings
from meshcheck.model.mesh_config import MeshConfig
from meshcheck.model.record import record

DEFAULT = "default"
"""The revision that has no name."""
LABEL = "istio.io/rev"
BY_REVISION = (
    *("AuthorizationPolicy", "RequestAuthentication", "PeerAuthentication", "VirtualService", "DestinationRule", "IstioGateway"),
    *("ServiceEntry", "Sidecar", "EnvoyFilter", "WasmPlugin", "TrafficExtension"),
)
"""Headings of objects that the label shows to one revision only."""


def revision_of(name: str, of: str) -> str | None:
    """The revision whose ConfigMap has a name: `istio` is that of the default one, `istio-1-24` that of 1-24; None for others.

    Source: istio/istio:pilot/pkg/bootstrap/mesh.go:getMeshConfigMapName.
    """
    if name == of:
        return DEFAULT
    return name[len(of) + 1 :] if name.startswith(f"{of}-") else None


@record
class Revisions:
    """What was read for each revision: mesh config, and the settings of its injector.

    `labelled`: revisions that objects are for (label istio.io/rev). `divided`: whether it matters which revision manages a workload.
    """

    meshes: Mapping[str, MeshConfig]
    injectors: Mapping[str, InjectorSettings]
    labelled: frozenset[str] = frozenset()
    divided: bool = False


NONE = Revisions({}, {})
