"""Metadata of all kinds, and label selectors.

Sources: kubernetes/kubernetes:staging/src/k8s.io/apimachinery/pkg/api/validation/objectmeta.go,
.../pkg/apis/meta/v1/validation/validation.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshcheck.decode.admission import formats
from meshcheck.decode.admission.faults import Check, Faults, Format, at
from meshcheck.decode.admission.words import shown, size

TABLE = """
ObjectMeta #owners: annotations {str}#annotations, creationTimestamp time, deletionGracePeriodSeconds int64, deletionTimestamp time,
    finalizers [str~finalizer], generateName str, generation int64, labels {str}#labels, managedFields [ManagedFieldsEntry],
    name str, namespace str, ownerReferences [OwnerReference], resourceVersion str, selfLink str, uid str
TemplateMeta: annotations {str}#annotations, creationTimestamp time, deletionGracePeriodSeconds int64, deletionTimestamp time,
    finalizers [str], generateName str, generation int64, labels {str}#labels, managedFields [ManagedFieldsEntry], name str,
    namespace str, ownerReferences [PlainOwner], resourceVersion str, selfLink str, uid str
PlainMeta: annotations {str}, creationTimestamp time, deletionGracePeriodSeconds int64, deletionTimestamp time, finalizers [str],
    generateName str, generation int64, labels {str}, managedFields [ManagedFieldsEntry], name str, namespace str,
    ownerReferences [PlainOwner], resourceVersion str, selfLink str, uid str
PlainOwner: apiVersion str, blockOwnerDeletion bool, controller bool, kind str, name str, uid str
ManagedFieldsEntry: apiVersion str, fieldsType str, fieldsV1 obj, manager str, operation str, subresource str, time time
OwnerReference #owner: apiVersion str, blockOwnerDeletion bool, controller bool, kind str, name str, uid str
LabelSelector: matchExpressions [LabelSelectorRequirement#requirement], matchLabels {str}#labels
LabelSelectorRequirement: key str, operator str, values [str]
"""
_FINALIZERS = ("kubernetes", "orphan", "foregroundDeletion")
_MOST_ANNOTATIONS = 256 * 1024


def labels(value: dict[str, str]) -> Faults:
    """Keys and values of labels."""
    for key, text in value.items():
        if said := formats.label_key(key) or formats.label_value(text):
            return at(said, key)
    return None


def _annotations(value: dict[str, str]) -> Faults:
    """Keys of annotations, in any case, and the size of all together."""
    length = 0
    for key, text in value.items():
        if said := formats.label_key(key.lower()):
            return at(said.replace("label", "annotation", 1), key)
        length += len(key) + len(text)
    if length > _MOST_ANNOTATIONS // 4 and sum(size(k) + size(v) for k, v in value.items()) > _MOST_ANNOTATIONS:
        return at("all annotations together have more than 256 KiB")
    return None


def finalizer(text: str) -> str | None:
    """A finalizer of Kubernetes' own kinds: a standard one, or one with a domain."""
    if said := formats.label_key(text):
        return said
    return (
        None
        if "/" in text or text in _FINALIZERS
        else f"`{shown(text)}` is neither a standard finalizer nor has it a domain before a slash"
    )


def _owners(value: dict[str, Any]) -> Faults:
    owners = value.get("ownerReferences")
    if owners and len([1 for owner in owners if owner.get("controller")]) > 1:
        return at("only one owner can be the controller", "ownerReferences")
    finalizers = value.get("finalizers")
    if finalizers and {"orphan", "foregroundDeletion"} <= set(finalizers):
        return at("`orphan` and `foregroundDeletion` exclude each other", "finalizers")
    return None


def _owner(value: dict[str, Any]) -> Faults:
    for name in ("apiVersion", "kind", "name", "uid"):
        if not value.get(name):
            return at(f"an owner needs `{name}`", name)
    if value["apiVersion"].count("/") > 1 or value["apiVersion"].endswith("/"):
        return at(f"`{shown(value['apiVersion'])}` is no API version", "apiVersion")
    return at("an Event owns nothing", "kind") if (value["apiVersion"], value["kind"]) == ("v1", "Event") else None


def requirement(value: dict[str, Any]) -> Faults:
    """One expression of a label selector."""
    operator, values = value.get("operator", ""), value.get("values") or ()
    if operator in ("In", "NotIn"):
        if not values:
            return at(f"`{operator}` needs at least one value", "values")
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            return at(f"`{operator}` takes no values", "values")
    else:
        return at(
            f"`{shown(operator)}` is not one of `In`, `NotIn`, `Exists` and `DoesNotExist`"
            if operator
            else "an expression needs an operator",
            "operator",
        )
    if said := formats.label_key(value.get("key", "")):
        return at(said if value.get("key") else "an expression needs a key", "key")
    for number, text in enumerate(values):
        if said := formats.label_value(text):
            return at(said, "values", number)
    return None


def name_fault(meta: Mapping[str, Any], form: Format, namespaced: bool) -> Faults:
    """The name, or its beginning, and the namespace."""
    name, beginning = meta.get("name"), meta.get("generateName")
    if not name and not beginning:
        return at("`metadata.name` or `metadata.generateName` is required", "metadata", "name")
    if beginning and (said := form(beginning[:-1] + "a" if len(beginning) > 1 and beginning[-1] == "-" else beginning)):
        return at(said, "metadata", "generateName")
    if name and (said := form(name)):
        return at(said, "metadata", "name")
    if namespaced and (namespace := meta.get("namespace")) and (said := formats.dns_label(namespace)):
        return at(said, "metadata", "namespace")
    return None


def matches(selector: Mapping[str, Any], of: Mapping[str, str]) -> bool:
    """Whether a label selector whose syntax is right selects these labels."""
    if any(of.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    for item in selector.get("matchExpressions") or ():
        key, operator, values = item["key"], item["operator"], item.get("values") or ()
        if operator == "In" and of.get(key) not in values:
            return False
        if operator == "NotIn" and key in of and of[key] in values:
            return False
        if operator in ("Exists", "DoesNotExist") and (key in of) != (operator == "Exists"):
            return False
    return True


RULES: Mapping[str, Check] = {"annotations": _annotations, "labels": labels, "owners": _owners, "owner": _owner, "requirement": requirement}
FORMATS: Mapping[str, Format] = {"finalizer": finalizer}
CUSTOM_FORMATS: Mapping[str, Format] = {"finalizer": formats.label_key}
"""For kinds that a CRD defines."""
