"""All objects of a kind: page by page, each list as it was at one moment.

Source: kubernetes/kubernetes:staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/types.go:ListMeta, ListOptions (`continue`, 410 and the
inconsistent continue token).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from meshcheck.load.cluster.api import Api, ApiError
from meshcheck.load.cluster.discovery import Served
from meshcheck.load.injection import WEBHOOKS, without_bundles
from meshcheck.model.record import NamedTuple

PAGE = 500
_STARTS = 3


class Listed(NamedTuple):
    """Objects of one kind. `resource_version` is the moment of which they are; `torn`: pages are of different moments."""

    items: list[dict[str, Any]]
    resource_version: str
    torn: bool = False


def list_objects(
    api: Api,
    served: Served,
    namespace: str | None = None,
    *,
    moment: str | None = None,
    field_selector: str | None = None,
    page: int = PAGE,
    on_page: Callable[[int], None] | None = None,
) -> Listed:
    """All objects of a kind, of one namespace or of all.

    `moment`: a resource version; the objects are those of that moment where the server still has it. When a list has run out (410) in the
    middle, it starts again; when that happens again and again, the rest is read as it is now. Raises ApiError.
    """
    for start in range(1, _STARTS + 1):
        try:
            return _pages(api, served, namespace, moment, field_selector, page, on_page, start == _STARTS)
        except ApiError as error:
            if error.code == 410 or (moment and error.code in (400, 504)):
                moment = None  # that moment is forgotten: read a new one
                continue
            raise
    raise ApiError(410, "the list ran out each time, before it was read to its end")


def _pages(
    api: Api,
    served: Served,
    namespace: str | None,
    moment: str | None,
    field_selector: str | None,
    page: int,
    on_page: Callable[[int], None] | None,
    at_any_price: bool,
) -> Listed:
    items: list[dict[str, Any]] = []
    path, kind, torn = served.path(namespace), served.kind.kind, False
    query: dict[str, Any] = {"limit": page, "fieldSelector": field_selector}
    if moment:
        query |= {"resourceVersion": moment, "resourceVersionMatch": "Exact"}
    while True:
        try:
            answer = api.get(path, **query)
        except ApiError as error:
            rest = (error.status.get("metadata") or {}).get("continue")
            if error.code != 410 or not items or not rest or not at_any_price:
                raise
            torn, query = True, {**query, "continue": rest}
            continue
        found = answer.get("items") or []
        items += [whole(item, kind, served.api_version) for item in found]
        if on_page:
            on_page(len(found))
        meta = answer.get("metadata") or {}
        if not meta.get("continue"):
            return Listed(items, str(meta.get("resourceVersion") or ""), torn)
        query = {"limit": page, "fieldSelector": field_selector, "continue": meta["continue"]}


def whole(item: dict[str, Any], kind: str, api_version: str) -> dict[str, Any]:
    """An item with its type, which lists leave out, and without what nobody reads and what may hold secrets."""
    meta: Mapping[str, Any] = item.get("metadata") or {}
    kept = {key: value for key, value in meta.items() if key != "managedFields"}
    notes = meta.get("annotations")
    if isinstance(notes, dict) and LAST_APPLIED in notes:
        kept["annotations"] = {key: value for key, value in notes.items() if key != LAST_APPLIED}
    out = {"apiVersion": api_version, "kind": kind, **{k: v for k, v in item.items() if k not in ("apiVersion", "kind")}, "metadata": kept}
    return dict(without_bundles(out)) if kind in WEBHOOKS else out


LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
