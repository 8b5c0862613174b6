"""Envoy Gateway's policies. No schema admitted them, so types are checked here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from meshcheck.decode.metadata import decode_selector
from meshcheck.model.envoy_gateway import EnvoyPolicy, PolicyTarget, TargetSelector
from meshcheck.model.objects import Meta

_EMPTY: Mapping[str, Any] = {}


def decode_policy(value: Mapping[str, Any], meta: Meta) -> EnvoyPolicy:
    """A policy of any kind; its settings stay as they were written."""
    spec = _map(value.get("spec"))
    written = [*_maps(spec.get("targetRefs")), *([spec["targetRef"]] if isinstance(spec.get("targetRef"), dict) else [])]
    return EnvoyPolicy(
        meta=meta,
        kind=value["kind"],
        targets=tuple(PolicyTarget(_text(t.get("kind")), _text(t.get("name")), _text(t.get("sectionName"))) for t in written),
        selectors=tuple(
            TargetSelector(
                _text(t.get("kind")),
                decode_selector({key: t[key] for key in ("matchLabels", "matchExpressions") if key in t}, ("spec", "targetSelectors", n)),
                _text(_map(t.get("namespaces")).get("from")) or "Same",
            )
            for n, t in enumerate(_maps(spec.get("targetSelectors")))
        ),
        merges=bool(spec.get("mergeType")),
        spec=spec,
    )


def _maps(value: Any) -> Iterable[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else _EMPTY


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
