"""Rules for where pods run.

Source: kubernetes/kubernetes:pkg/apis/core/validation/validation.go:validateAffinity, ValidateTolerations,
validateTopologySpreadConstraints.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from meshcheck.decode.admission import formats
from meshcheck.decode.admission.faults import Check, Faults, at
from meshcheck.decode.admission.words import outside, shown

_EFFECTS = ("", "NoSchedule", "PreferNoSchedule", "NoExecute")


def _toleration(value: dict[str, Any]) -> Faults:
    key, operator, effect = value.get("key", ""), value.get("operator", ""), value.get("effect", "")
    if key and (said := formats.label_key(key)):
        return at(said, "key")
    if operator not in ("", "Equal", "Exists"):
        return at(f"`{shown(operator)}` is not one of `Equal` and `Exists`", "operator")
    if not key and operator != "Exists":
        return at("without a key the operator must be `Exists`", "operator")
    if operator == "Exists" and value.get("value"):
        return at("`Exists` takes no value", "value")
    if operator != "Exists" and (said := formats.label_value(value.get("value", ""))):
        return at(said, "value")
    if effect not in _EFFECTS:
        return at(f"`{shown(effect)}` is not one of `NoSchedule`, `PreferNoSchedule` and `NoExecute`", "effect")
    if "tolerationSeconds" in value and effect != "NoExecute":
        return at("`tolerationSeconds` needs `effect: NoExecute`", "effect")
    return None


def _spread(value: dict[str, Any]) -> Faults:
    if value.get("maxSkew", 0) <= 0:
        return at("must be at least 1", "maxSkew")
    if not value.get("topologyKey"):
        return at("`topologyKey` is required", "topologyKey")
    if "whenUnsatisfiable" not in value:
        return at("`whenUnsatisfiable` is required", "whenUnsatisfiable")
    if "minDomains" in value and value["whenUnsatisfiable"] != "DoNotSchedule":
        return at("only with `whenUnsatisfiable: DoNotSchedule`", "minDomains")
    return _keys(value, ("matchLabelKeys",))


def spread_once(constraints: Sequence[dict[str, Any]]) -> Faults:
    """Each topology key has one constraint of a kind."""
    seen = set()
    for number, item in enumerate(constraints):
        key = item["topologyKey"], item["whenUnsatisfiable"]
        if key in seen:
            return at("there is a constraint of this key and kind already", "topologySpreadConstraints", number)
        seen.add(key)
    return None


def _affinity_term(value: dict[str, Any]) -> Faults:
    key = value.get("topologyKey", "")
    if said := formats.label_key(key) if key else "`topologyKey` is required":
        return at(said, "topologyKey")
    return _keys(value, ("matchLabelKeys", "mismatchLabelKeys"))


def _keys(value: dict[str, Any], fields: tuple[str, ...]) -> Faults:
    for field in fields:
        if value.get(field) and "labelSelector" not in value:
            return at("needs `labelSelector`", field)
        for number, key in enumerate(value.get(field) or ()):
            if said := formats.label_key(key):
                return at(said, field, number)
    return None


def _weight(value: dict[str, Any]) -> Faults:
    weight = value.get("weight", 0)
    return None if 1 <= weight <= 100 else at(outside(weight, 1, 100), "weight")


def _weighted(value: dict[str, Any]) -> Faults:
    if not (value.get("podAffinityTerm") or {}).get("topologyKey"):
        return at("`topologyKey` is required", "podAffinityTerm", "topologyKey")
    return _weight(value)


def _node_requirement(value: dict[str, Any]) -> Faults:
    operator, values = value.get("operator", ""), value.get("values") or ()
    if operator in ("In", "NotIn"):
        if not values:
            return at(f"`{operator}` needs at least one value", "values")
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            return at(f"`{operator}` takes no values", "values")
    elif operator in ("Gt", "Lt"):
        if len(values) != 1:
            return at(f"`{operator}` needs one value", "values")
    else:
        return at(f"`{shown(operator)}` is not one of `In`, `NotIn`, `Exists`, `DoesNotExist`, `Gt` and `Lt`", "operator")
    if said := formats.label_key(value.get("key", "")):
        return at(said, "key")
    for number, text in enumerate(values):
        if said := formats.label_value(text):
            return at(said, "values", number)
    return None


def _node_selector(value: dict[str, Any]) -> Faults:
    return None if value.get("nodeSelectorTerms") else at("at least one term is required", "nodeSelectorTerms")


RULES: Mapping[str, Check] = {
    "toleration": _toleration,
    "spread": _spread,
    "affinity_term": _affinity_term,
    "weight": _weight,
    "weighted": _weighted,
    "node_requirement": _node_requirement,
    "node_selector": _node_selector,
}
