"""Fields of a pod that its containers can read.

Source: kubernetes/kubernetes:pkg/apis/core/validation/validation.go:validateObjectFieldSelector,
validateContainerResourceFieldSelector.
"""

from __future__ import annotations

from typing import Any

from meshcheck.decode.admission import formats
from meshcheck.decode.admission.faults import Faults, at
from meshcheck.decode.admission.quantities import amount
from meshcheck.decode.admission.words import shown
from meshcheck.model.pattern import pattern

VARIABLES = frozenset(
    [
        "metadata.name",
        "metadata.namespace",
        "metadata.uid",
        "spec.nodeName",
        "spec.host",
        "spec.serviceAccountName",
        "status.hostIP",
        "status.hostIPs",
        "status.podIP",
        "status.podIPs",
    ]
)
"""What an environment variable can hold."""
_SUBSCRIPT = pattern(r"(metadata\.(?:labels|annotations))\['(.+)'\]")
_RESOURCES = frozenset(f"{kind}.{name}" for kind in ("limits", "requests") for name in ("cpu", "memory", "ephemeral-storage"))
_HUGE = ("limits.hugepages-", "requests.hugepages-")
_DIVISORS = frozenset(["1", *(f"1{unit}" for unit in ("k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"))])


def field_path(path: str, known: frozenset[str]) -> str | None:
    """A field, or a label or annotation by its key: `metadata.labels['app']`."""
    if path in known:
        return None
    found = _SUBSCRIPT.fullmatch(path)
    if not path or found is None:
        return f"`{shown(path)}` is no field that can be read here" if path else "`fieldPath` is required"
    return formats.label_key(found[2].lower() if found[1].endswith("annotations") else found[2])


def resource_field(ref: dict[str, Any], volume: bool = False) -> Faults:
    """A limit or request of a container; `volume` when it is read through a volume, which must name the container."""
    resource = ref.get("resource", "")
    if volume and not ref.get("containerName"):
        return at("`containerName` is required", "containerName")
    if resource not in _RESOURCES and not resource.startswith(_HUGE):
        return at(f"`{shown(resource)}` is no resource such as `limits.cpu`" if resource else "`resource` is required", "resource")
    divisor = str(ref.get("divisor", "0"))
    good = ("1", "1m", "0.001") if resource.endswith(".cpu") else _DIVISORS
    return None if divisor in good or amount(divisor) == 0 else at(f"`{shown(divisor)}` is no divisor of this resource", "divisor")
