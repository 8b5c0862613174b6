"""Where Istio keeps its settings, and Secrets that were asked for by name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from meshcheck.load.cluster.api import Api, ApiError
from meshcheck.model.cluster_kinds import MESH_CONFIG
from meshcheck.model.coverage import Gap

if TYPE_CHECKING:
    from meshcheck.load.cluster.discovery import Discovery
    from meshcheck.load.cluster.reading import Wanted

ISTIO_GROUPS = ("security.istio.io", "networking.istio.io")
USUAL_ROOT = "istio-system"


def mesh_config_gap(parts: Sequence[Any], found: Discovery, wanted: Wanted) -> Gap | None:
    """What is not known of mesh config: it is in a ConfigMap of istiod's namespace. A cluster without Istio's kinds has none."""
    if not any(found.has_group(group) for group in ISTIO_GROUPS):
        return None
    root = wanted.root_namespace or USUAL_ROOT
    for part in parts:
        if part.kind.kind == "ConfigMap":
            gap = next((gap for gap in part.gaps if gap.covers(root)), None)
            if gap is not None:
                reason = f"could not be read: ConfigMaps of namespace {root} {gap.reason} (`--mesh-config FILE` gives it)"
                return Gap("ConfigMap", MESH_CONFIG, root, reason, chosen=gap.chosen)
    return None


def read_secrets(api: Api, names: Iterable[tuple[str, str]]) -> tuple[dict[tuple[str, str], dict[str, Any] | None], list[Gap]]:
    """Secrets by (namespace, name): the object, or None for one that does not exist; and gaps for those that may not be read."""
    found: dict[tuple[str, str], dict[str, Any] | None] = {}
    gaps: list[Gap] = []
    for namespace, name in dict.fromkeys(names):
        try:
            found[namespace, name] = api.get(f"/api/v1/namespaces/{namespace}/secrets/{name}")
        except ApiError as error:
            if error.code == 404:
                found[namespace, name] = None
            else:
                gaps.append(Gap("Secret", "Secret", namespace, f"could not be read: {error.code} {error.message}"))
    return found, gaps
