"""Documents into an inventory: what a cluster would refuse is kept apart, with the reason."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from meshcheck.decode import admission
from meshcheck.decode.metadata import decode_meta
from meshcheck.decode.registry import bucket_of, decoder_of
from meshcheck.model.inventory import Inventory, Noted, Refused
from meshcheck.model.objects import ObjectRef, Origin, Path
from meshcheck.model.record import NamedTuple


class Document(Protocol):
    """An object as it was written."""

    @property
    def value(self) -> dict[str, Any]: ...
    @property
    def origin(self) -> Origin: ...
    @property
    def accepted(self) -> bool: ...


class Decoded(NamedTuple):
    """What became of one document: under which heading and key it is kept, if it is, and what a cluster says against it."""

    kind: str
    heading: str = ""
    """Empty where nothing decodes its kind, or where it is left out."""
    key: tuple[str, str] = ("", "")
    value: Any = None
    refused: tuple[Refused, ...] = ()
    noted: tuple[Noted, ...] = ()
    known: bool = True
    """Whether there is a decoder of its kind."""


class Remembered:
    """What was decoded the last time: values that are the same objects as then are not decoded again. Nobody may change them in place."""

    def __init__(self) -> None:
        self._last: dict[int, tuple[dict[str, Any], Decoded]] = {}
        self._now: dict[int, tuple[dict[str, Any], Decoded]] = {}
        self.namespace = ""

    def begin(self, default_namespace: str) -> None:
        """Forget what the last collection had no use for."""
        self._last, self._now = (self._now if self.namespace == default_namespace else {}), {}
        self.namespace = default_namespace

    def decoded(self, document: Document) -> Decoded:
        """What became of a document."""
        key = id(document.value)
        found = self._last.get(key)
        if found is None:
            found = document.value, decode(document, self.namespace)
        self._now[key] = found
        return found[1]


def collect(documents: Iterable[Document], default_namespace: str = "default", remembered: Remembered | None = None) -> Inventory:
    """Decode documents. Objects that a cluster would refuse are left out of the inventory and listed in `refused`."""
    kept: dict[str, dict[tuple[str, str], Any]] = {}
    refused: list[Refused] = []
    noted: list[Noted] = []
    unknown: dict[str, int] = {}
    if remembered is not None:
        remembered.begin(default_namespace)
    for document in documents:
        one = decode(document, default_namespace) if remembered is None else remembered.decoded(document)
        if not one.known:
            unknown[one.kind] = unknown.get(one.kind, 0) + 1
            continue
        refused += one.refused
        noted += one.noted
        if one.heading:
            bucket = kept.setdefault(one.heading, {})
            bucket.pop(one.key, None)  # the last one counts, in the place of the last one
            bucket[one.key] = one.value
    return Inventory({kind: tuple(found.values()) for kind, found in kept.items()}, tuple(refused), tuple(noted), unknown)


def decode(document: Document, default_namespace: str = "default") -> Decoded:
    """One document into what the inventory keeps of it."""
    value, origin = document.value, document.origin
    kind = value["kind"]
    if not is_decoded(value):
        return Decoded(kind, known=False)
    refused: tuple[Refused, ...] = ()
    noted: tuple[Noted, ...] = ()
    problems = admission.problems(value)
    if problems:
        ref = _ref(value, default_namespace)
        bad = [p for p in problems if p.refused_by and not (document.accepted and p.refused_by == "api-server")]
        refused = tuple(Refused(ref, origin, p.path, p.message, p.refused_by) for p in bad)
        noted = tuple(Noted(ref, origin, p.path, p.message) for p in problems if not p.refused_by)
        if any(changes_meaning(kind, p.path) for p in bad):
            return Decoded(kind, refused=refused, noted=noted)
    try:
        meta = decode_meta(value, origin, default_namespace)
    except ValueError as error:
        if not problems:
            refused = (Refused(_ref(value, default_namespace), origin, ("metadata",), str(error), "api-server"),)
        return Decoded(kind, refused=refused, noted=noted)
    decoder = decoder_of(value["apiVersion"], kind)
    if decoder is None:
        decoded: Any = (meta, _data(value))
    else:
        try:
            decoded = decoder(value, meta)
        except (TypeError, ValueError, AttributeError, KeyError) as error:
            failed = Refused(meta.ref, origin, (), f"cannot be decoded: {type(error).__name__} {error}", None)
            return Decoded(kind, refused=(*refused, failed), noted=noted)
    return Decoded(kind, bucket_of(value["apiVersion"], kind), (f"{kind}/{meta.ref.namespace}", meta.name), decoded, refused, noted)


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
