"""The status of an object says that its controller does not use it.

## Finds

Conditions in the status of routes, Gateways, ListenerSets and policies (`Accepted`, `Programmed`, `ResolvedRefs`, `WaypointAccepted`,
`ZtunnelAccepted`) and of Services and ServiceEntries (`istio.io/WaypointBound`) that are False; `Conflicted` that is True; and policies
that were taken in part only (`PartiallyInvalid`). They must be of the generation that the object has now.
Source: istio/istio:pilot/pkg/model/service.go.

## Why it matters

The controller has already said what is wrong. A route that is not accepted answers 404, a reference that is not resolved 500, and a policy
that is not accepted protects nothing.

## Avoid

```yaml
status: {parents: [{conditions: [{type: ResolvedRefs, status: "False", reason: BackendNotFound}]}]}
```

## Prefer

```yaml
status: {parents: [{conditions: [{type: ResolvedRefs, status: "True"}]}]}
```

## Exceptions

An object that was changed a moment ago: its controller may not have looked again.

## Silent when

The input holds no status (manifests, mostly), or one of an older generation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, rule
from meshcheck.model.objects import Path

_GROUPS = ("gateway.networking.k8s.io", "gateway.networking.x-k8s.io", "gateway.envoyproxy.io", "security.istio.io", "networking.istio.io")
_TRUE = ("Accepted", "Programmed", "ResolvedRefs", "WaypointAccepted", "ZtunnelAccepted", "istio.io/WaypointBound")
_WANTED = {**dict.fromkeys(_TRUE, "True"), "Conflicted": "False"}
_IN_PART = "PartiallyInvalid"
_HOLDERS = ("parents", "ancestors", "listeners")


@rule("MC826", "negative-condition", severity="warning", needs="document")
def check(evidence: Evidence) -> Iterator[Found]:
    """Conditions that say no."""
    kinds = sorted({str(d.value["kind"]) for d in evidence.documents if _is_judged(str(d.value.get("apiVersion")), str(d.value["kind"]))})
    for ref, origin, value in evidence.written(*kinds):
        status, meta = value.get("status"), value.get("metadata")
        if not isinstance(status, dict) or not _is_judged(ref.api_version, ref.kind):
            continue
        generation = meta.get("generation") if isinstance(meta, dict) else None
        for path, condition in _conditions(status):
            seen = condition.get("observedGeneration")
            current = not (isinstance(seen, int) and isinstance(generation, int) and seen < generation)
            if current and _says_no(condition):
                yield Found(_words(condition), ref, origin, path)


def _is_judged(api_version: str, kind: str) -> bool:
    return api_version.partition("/")[0] in _GROUPS or (api_version, kind) == ("v1", "Service")


def _conditions(status: Mapping[str, Any]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """(place, condition) of the object itself, and for each parent, ancestor and listener."""
    yield from _of(status, ("status",))
    for holder in _HOLDERS:
        items = status.get(holder)
        for n, item in enumerate(items if isinstance(items, list) else ()):
            if isinstance(item, dict):
                yield from _of(item, ("status", holder, n))


def _of(value: Mapping[str, Any], path: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    items = value.get("conditions")
    for n, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, dict):
            yield (*path, "conditions", n), item


def _says_no(condition: Mapping[str, Any]) -> bool:
    wanted = _WANTED.get(str(condition.get("type")))
    if wanted is None or condition.get("status") not in ("True", "False"):
        return False
    return condition.get("status") != wanted or condition.get("reason") == _IN_PART


def _words(condition: Mapping[str, Any]) -> str:
    reason, message = condition.get("reason"), condition.get("message")
    said = ": ".join(" ".join(str(part).split()) for part in (reason, message) if part)
    return f"its controller says {condition.get('type')}={condition.get('status')}{f' ({said})' if said else ''}"
