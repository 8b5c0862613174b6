"""Switches of istiod that change what configuration means: environment variables of its container.

Source: istio/istio:pilot/pkg/features/{pilot,security,ambient}.go; a switch that cannot be read has its default, as pkg/env does it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from meshcheck.model.core import Workload
from meshcheck.model.record import NamedTuple
from meshcheck.model.revisions import DEFAULT, LABEL

if TYPE_CHECKING:
    from meshcheck.semantics.world.world import World


class Switch(NamedTuple):
    """A variable, and its value where istiod does not have it."""

    name: str
    default: bool


SEVERAL_AUTHORIZERS = Switch("PILOT_ENABLE_MULTIPLE_CUSTOM_AUTHZ_PROVIDERS", False)
"""A workload may have CUSTOM policies of more than one provider."""
OWN_GATEWAYS = Switch("PILOT_SCOPE_GATEWAY_TO_NAMESPACE", False)
"""Gateways are served by gateway pods of their own namespace only."""
SELECTORS_AT_GATEWAYS = Switch("ENABLE_SELECTOR_BASED_K8S_GATEWAY_POLICY", True)
"""Policies without `targetRefs` apply to gateways of Gateway API."""
ANY_TRUST_DOMAIN = Switch("PILOT_SKIP_VALIDATE_TRUST_DOMAIN", False)
"""Servers take certificates of every trust domain."""
INFERENCE_POOLS = Switch("ENABLE_GATEWAY_API_INFERENCE_EXTENSION", False)
"""Routes may lead to InferencePools."""
LAYERED_WAYPOINTS = Switch("ENABLE_LAYERED_WAYPOINT_AUTHORIZATION_POLICIES", False)
"""Policies with selectors apply at waypoints, too, to connections."""
WAYPOINTS_ADMITTED = Switch("PILOT_AUTO_ALLOW_WAYPOINT_POLICY", False)
"""Each workload with a waypoint gets an ALLOW policy for it."""
GATEWAYS_USE_WAYPOINTS = Switch("ENABLE_INGRESS_WAYPOINT_ROUTING", True)
"""Gateways call Services by their waypoints, where these ask for it."""

CONTAINER = "discovery"
_TRUE, _FALSE = frozenset(["1", "t", "T", "true", "TRUE", "True"]), frozenset(["0", "f", "F", "false", "FALSE", "False"])
"""Source: Go's strconv.ParseBool."""


def switched(world: World, switch: Switch) -> bool:
    """Whether a switch of istiod is on; its default, where no istiod is in the input."""
    value = world.once("istiod", lambda: _environment(world)).get(switch.name, "")
    return True if value in _TRUE else False if value in _FALSE else switch.default


def _environment(world: World) -> Mapping[str, str]:
    """Of the istiod of the revision whose view the World is; of the default one, or the first, where it is the whole."""
    mesh, revision = world.mesh, world.revision or DEFAULT
    namespaces = {mesh.root_namespace, *([mesh.meta.namespace or ""] if mesh.meta else ())}
    found = [w for name in sorted(namespaces) for w in world.workloads_in(name) if CONTAINER in w.containers]
    found.sort(key=lambda w: (w.pod_labels.get(LABEL, DEFAULT) != revision, w.name))
    return dict(_variables(found[0])) if found else {}


def shared_names(workloads: Iterable[Workload]) -> dict[tuple[str, str], str]:
    """The ConfigMaps that istiods read beside their own mesh config, by (namespace, revision)."""
    istiods = [w for w in workloads if CONTAINER in w.containers]
    named = {(w.namespace, w.pod_labels.get(LABEL, DEFAULT)): dict(_variables(w)).get("SHARED_MESH_CONFIG", "") for w in istiods}
    return {key: name for key, name in named.items() if name}


def _variables(workload: Workload) -> Iterable[tuple[str, str]]:
    for container in _maps(workload.pod.get("containers")):
        if container.get("name") == CONTAINER:
            for item in _maps(container.get("env")):
                if isinstance(item.get("value"), str):
                    yield str(item.get("name")), item["value"]


def _maps(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
