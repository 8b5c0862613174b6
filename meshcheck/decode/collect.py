"""Documents into an inventory: what a cluster would refuse is kept apart, with the reason."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from meshcheck.decode import admission
from meshcheck.decode.metadata import decode_meta
from meshcheck.decode.registry import bucket_of, decoder_of
from meshcheck.model.inventory import Inventory, Noted, Refused
from meshcheck.model.objects import ObjectRef, Origin, Path


class Document(Protocol):
    """An object as it was written."""

    @property
    def value(self) -> dict[str, Any]: ...
    @property
    def origin(self) -> Origin: ...
    @property
    def accepted(self) -> bool: ...


def collect(documents: Iterable[Document], default_namespace: str = "default") -> Inventory:
    """Decode documents. Objects that a cluster would refuse are left out of the inventory and listed in `refused`."""
    kept: dict[str, dict[tuple[str | None, str], Any]] = {}
    refused: list[Refused] = []
    noted: list[Noted] = []
    unknown: dict[str, int] = {}
    for document in documents:
        value, origin = document.value, document.origin
        kind = value["kind"]
        decoder = decoder_of(value["apiVersion"], kind)
        if not is_decoded(value):
            unknown[kind] = unknown.get(kind, 0) + 1
            continue
        problems = admission.problems(value)
        if problems:
            ref = _ref(value, default_namespace)
            bad = [p for p in problems if p.refused_by and not (document.accepted and p.refused_by == "api-server")]
            refused += [Refused(ref, origin, p.path, p.message, p.refused_by) for p in bad]
            noted += [Noted(ref, origin, p.path, p.message) for p in problems if not p.refused_by]
            if any(changes_meaning(kind, p.path) for p in bad):
                continue
        try:
            meta = decode_meta(value, origin, default_namespace)
        except ValueError as error:
            if not problems:
                refused.append(Refused(_ref(value, default_namespace), origin, ("metadata",), str(error), "api-server"))
            continue
        if decoder is None:
            decoded: Any = (meta, _data(value))
        else:
            try:
                decoded = decoder(value, meta)
            except (TypeError, ValueError, AttributeError, KeyError) as error:
                refused.append(Refused(meta.ref, origin, (), f"cannot be decoded: {type(error).__name__} {error}", None))
                continue
        bucket = kept.setdefault(bucket_of(value["apiVersion"], kind), {})
        key = (f"{kind}/{meta.ref.namespace}", meta.name)
        bucket.pop(key, None)  # the last one counts, in the place of the last one
        bucket[key] = decoded
    return Inventory({kind: tuple(found.values()) for kind, found in kept.items()}, tuple(refused), tuple(noted), unknown)


def is_decoded(value: dict[str, Any]) -> bool:
    """Whether an object is of a kind that the inventory holds; what a cluster says against it is then in `refused` and `noted`."""
    return value["kind"] == "ConfigMap" or decoder_of(value["apiVersion"], value["kind"]) is not None


def _data(value: dict[str, Any]) -> dict[str, Any]:
    """The files of a ConfigMap; bytes, which nobody here reads, are None."""
    texts, raw = value.get("data"), value.get("binaryData")
    return {**(dict.fromkeys(raw) if isinstance(raw, dict) else {}), **(texts if isinstance(texts, dict) else {})}


_POLICIES = ("Policy", "Authentication")
_TRAFFIC = ("VirtualService", "DestinationRule", "Sidecar", "ServiceEntry", "Gateway", "Ingress")
_GATEWAY_API = ("Route", "ListenerSet", "ReferenceGrant", "Class")
_ADMIN = ("AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy")


def changes_meaning(kind: str, path: Path) -> bool:
    """Whether an object with a problem at a path has to be left out, because the cluster would work without it.

    Workloads and Services stay: a pod template without an image is refused, too, but nobody asks about that; their answer would be lost.
    Policies go, with three exceptions where the meaning is plain: an illegal name; selectors that admin policies of the first version
    leave out, as files from before that rule do; and peers that this version does not know, which fail closed.
    """
    if not kind.endswith((*_POLICIES, *_GATEWAY_API)) and kind not in _TRAFFIC:
        return False
    if path == ("metadata", "name"):
        return False
    peer = len(path) == 5 and path[3] in ("from", "to")
    return not (kind in _ADMIN and (peer or path[-1:] in (("pods",), ("ports",))))


def _ref(value: dict[str, Any], default_namespace: str) -> ObjectRef:
    raw = value.get("metadata")
    meta = raw if isinstance(raw, dict) else {}
    namespace, name = meta.get("namespace"), meta.get("name")
    return ObjectRef(
        value["apiVersion"],
        value["kind"],
        namespace if isinstance(namespace, str) else default_namespace,
        name if isinstance(name, str) else "",
    )
