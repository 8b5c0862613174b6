"""Which objects differ between two sets of documents, and in which fields."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from meshcheck.decode.collect import Document
from meshcheck.model.objects import ObjectRef, Origin, Path
from meshcheck.model.record import record

_LEFT_ALONE = ("status",)
_OF_THE_SERVER = ("resourceVersion", "uid", "generation", "managedFields", "selfLink")
_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_MOST_FIELDS = 12


@record
class ObjectChange:
    """One object that differs. `fields` are the outermost ones that do; empty for objects that come or go."""

    ref: ObjectRef
    kind: Literal["added", "removed", "changed"]
    fields: tuple[Path, ...]
    old: Origin | None
    new: Origin | None


def changed_objects(
    old: Iterable[Document], new: Iterable[Document], default_namespace: str = "default", applied: bool = False
) -> tuple[ObjectChange, ...]:
    """Objects that were added, removed or changed, in the order of the new documents, then of the old ones.

    `applied`: the new documents are laid over the old ones, as `kubectl apply` does: fields that only the old one has are defaults or stay.
    """
    before, after = _by_identity(old, default_namespace), _by_identity(new, default_namespace)
    out = []
    for key, (ref, document) in after.items():
        if key not in before:
            out.append(ObjectChange(ref, "added", (), None, document.origin))
            continue
        was = before[key][1]
        if was.value is not document.value and (fields := tuple(_fields(_content(was.value), _content(document.value), (), applied))):
            out.append(ObjectChange(ref, "changed", fields[:_MOST_FIELDS], was.origin, document.origin))
    out += [ObjectChange(ref, "removed", (), document.origin, None) for key, (ref, document) in before.items() if key not in after]
    return tuple(out)


def _by_identity(documents: Iterable[Document], default_namespace: str) -> dict[tuple[str, str, str, str], tuple[ObjectRef, Document]]:
    """Group, kind, namespace, name → the last document of an object: versions of one API are one object."""
    found: dict[tuple[str, str, str, str], tuple[ObjectRef, Document]] = {}
    for document in documents:
        value = document.value
        raw = value.get("metadata")
        meta = raw if isinstance(raw, dict) else {}
        namespace = meta.get("namespace") if isinstance(meta.get("namespace"), str) else None
        ref = ObjectRef(value["apiVersion"], value["kind"], namespace, str(meta.get("name") or ""))
        found[value["apiVersion"].rpartition("/")[0], ref.kind, namespace or default_namespace, ref.name] = ref, document
    return found


def _content(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """An object without what the server and controllers write."""
    out = {key: item for key, item in value.items() if key not in _LEFT_ALONE}
    if isinstance(meta := out.get("metadata"), dict):
        kept = {key: item for key, item in meta.items() if key not in _OF_THE_SERVER}
        if isinstance(notes := kept.get("annotations"), dict) and _APPLIED in notes:
            kept["annotations"] = {key: text for key, text in notes.items() if key != _APPLIED}
        out["metadata"] = kept
    return out


def _fields(old: Any, new: Any, path: Path, applied: bool) -> Iterator[Path]:
    """Paths of what differs: as deep as both have mappings, or lists of one length."""
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys((*old, *new)):
            if key in old and key in new:
                yield from _fields(old[key], new[key], (*path, key), applied)
            elif key in new or not applied:
                yield (*path, key)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, (one, other) in enumerate(zip(old, new)):
            yield from _fields(one, other, (*path, number), applied)
    else:
        yield path
