"""Which control plane manages a workload's proxy, and the World as that one sees it.

Each revision of istiod has mesh config of its own, and passes over objects whose label `istio.io/rev` names another revision.

Sources: istio/istio:pkg/config/model.go:LabelsInRevision; pilot/pkg/config/kube/crdclient/client.go:inRevision;
pkg/kube/inject/webhook.go:getInjectionStatus (what an injected pod says of itself).
"""

from __future__ import annotations

from meshcheck.model.core import Workload
from meshcheck.model.record import NamedTuple
from meshcheck.model.revisions import DEFAULT, LABEL
from meshcheck.semantics.attachment import GATEWAY_NAME
from meshcheck.semantics.world.injection import by_labels, injection_of, injectors
from meshcheck.semantics.world.sidecars import sidecar_of
from meshcheck.semantics.world.world import World

_STATUS = "sidecar.istio.io/status"


class Managed(NamedTuple):
    """The revision of a workload's proxy. None where it cannot be known: then `open` says whose, alike for all that fare alike."""

    revision: str | None
    open: str = ""


def view_of(world: World, workload: Workload | None) -> World:
    """The World as the control plane of a workload's proxy sees it: the same World, unless there are several revisions."""
    if not world.revisions.divided or workload is None:
        return world
    found = managed(world, workload)
    return world.seen_by(found.revision or world.supposed.get(found.open))


def managed(world: World, workload: Workload) -> Managed:
    """The revision that manages a workload's proxy."""
    return world.once(("revision", id(workload)), lambda: _managed(world, workload))


def candidates(world: World) -> tuple[str, ...]:
    """The revisions that there may be, as far as anything names them."""
    named = {*world.revisions.meshes, *world.revisions.labelled, *(each.revision for each in injectors(world))}
    return tuple(sorted(named if world.revisions.meshes else {*named, DEFAULT}, key=lambda name: (name != DEFAULT, name)))


def _managed(world: World, workload: Workload) -> Managed:
    pods = world.pods_under(workload)
    said = list(dict.fromkeys(name for pod in (*pods, *(() if pods else (workload,))) if (name := written_in(pod))))
    if len(said) > 1:
        return Managed(None, f"pods of {workload}: some are of revision {said[0]}, some of {said[1]}")
    if said:
        return Managed(said[0])
    namespace = world.namespace_as_known(workload.namespace)
    if GATEWAY_NAME in workload.pod_labels:  # its controller has made it, and no webhook
        return _by_name(world, workload.pod_labels.get(LABEL) or namespace.labels.get(LABEL) or DEFAULT)
    if sidecar_of(world, workload).present is False:
        return Managed(DEFAULT)  # without a proxy nobody asks
    if namespace.meta is None and not world.complete("Namespace", namespace=workload.namespace):
        return Managed(None, f"pods of namespace {workload.namespace}")
    found = injection_of(world, workload, namespace)
    if injectors(world) and found.asked and found.revision:
        return Managed(found.revision)
    return _by_name(world, by_labels(workload, namespace).revision or workload.pod_labels.get(LABEL) or DEFAULT)


def _by_name(world: World, name: str) -> Managed:
    """Without webhooks a label may name a revision or a tag; a revision that something else names is one."""
    named = {*world.revisions.meshes, *world.revisions.labelled}
    if name != DEFAULT and name in named:
        return Managed(name)
    if len(world.revisions.meshes) == 1 and (name == DEFAULT or not world.revisions.labelled):
        return Managed(next(iter(world.revisions.meshes)))
    return Managed(None, f"pods that ask for istio.io/rev={name}" if name != DEFAULT else "pods that ask for the default revision")


def written_in(pod: Workload) -> str:
    """The revision that an injected pod was given."""
    import json

    status = pod.pod_annotations.get(_STATUS)
    if status:
        try:
            found = json.loads(status)
        except ValueError:
            found = None
        if isinstance(found, dict) and isinstance(found.get("revision"), str) and found["revision"]:
            return str(found["revision"])
    return pod.pod_annotations.get(LABEL, "")
