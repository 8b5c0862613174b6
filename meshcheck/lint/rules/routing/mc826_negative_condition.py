"""The status of an object says that its controller does not use it.

## Finds

Conditions in the status of routes, Gateways, ListenerSets and policies (`Accepted`, `Programmed`, `ResolvedRefs`, `WaypointAccepted`) that
are False, and `Conflicted` that is True, for the generation that the object has now.

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
_WANTED = {"Accepted": "True", "Programmed": "True", "ResolvedRefs": "True", "WaypointAccepted": "True", "Conflicted": "False"}
_HOLDERS = ("parents", "ancestors", "listeners")


@rule("MC826", "negative-condition", severity="warning", needs="document")
def check(evidence: Evidence) -> Iterator[Found]:
    """Conditions that say no."""
    kinds = sorted({str(d.value.get("kind")) for d in evidence.documents if str(d.value.get("apiVersion")).partition("/")[0] in _GROUPS})
    for ref, origin, value in evidence.written(*kinds):
        status, meta = value.get("status"), value.get("metadata")
        if not isinstance(status, dict) or ref.api_version.partition("/")[0] not in _GROUPS:
            continue
        generation = meta.get("generation") if isinstance(meta, dict) else None
        for path, condition in _conditions(status):
            seen = condition.get("observedGeneration")
            current = not (isinstance(seen, int) and isinstance(generation, int) and seen < generation)
            if current and _says_no(condition):
                yield Found(_words(condition), ref, origin, path)


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
    return wanted is not None and condition.get("status") in ("True", "False") and condition.get("status") != wanted


def _words(condition: Mapping[str, Any]) -> str:
    reason, message = condition.get("reason"), condition.get("message")
    said = ": ".join(" ".join(str(part).split()) for part in (reason, message) if part)
    return f"its controller says {condition.get('type')}={condition.get('status')}{f' ({said})' if said else ''}"
