"""DestinationRule.

Source: istio/istio:pkg/config/validation/validation.go:ValidateDestinationRule.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshcheck.decode.admission.faults import Check, Faults, at, below
from meshcheck.decode.admission.istiod import names
from meshcheck.decode.admission.istiod.traffic_policy import traffic_policy
from meshcheck.decode.admission.words import shown


def _destination_rule(value: dict[str, Any]) -> Faults:
    spec, namespace = value.get("spec") or {}, (value.get("metadata") or {}).get("namespace") or ""
    if said := names.wildcard_domain(spec.get("host", "")):
        return at(said, "spec", "host")
    bad = below(traffic_policy(spec.get("trafficPolicy"), namespace), "spec", "trafficPolicy")
    seen: set[str] = set()
    for number, subset in enumerate(spec.get("subsets") or ()):
        bad += below(_subset(subset, seen, namespace), "spec", "subsets", number)
        seen.add(subset["name"])
    selecting = "workloadSelector" in spec
    bad += below(names.export_to(spec, namespace, selecting=selecting), "spec")
    bad += below(names.selector(spec.get("workloadSelector"), "matchLabels"), "spec", "workloadSelector")
    return bad or None


def _subset(subset: dict[str, Any], seen: set[str], namespace: str) -> Faults:
    name = subset["name"]
    if name in seen:
        return at(f"two subsets have the name `{shown(name)}`", "name")
    if not names.is_label(name):
        return at(f"`{shown(name)}` is no name of a subset" if name else "a subset needs a name", "name")
    if bad := names.labels(subset.get("labels")):
        return below(bad, "labels")
    return below(traffic_policy(subset.get("trafficPolicy"), namespace), "trafficPolicy")


CHECKS: Mapping[str, Check] = {"DestinationRule": _destination_rule}
