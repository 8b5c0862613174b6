"""Namespace, Node, ConfigMap and ServiceAccount.

Source: kubernetes/kubernetes:pkg/apis/core/validation/validation.go.
"""

from __future__ import annotations

from typing import Any

from meshcheck.decode.admission import formats, metadata
from meshcheck.decode.admission.faults import Check, Faults, at
from meshcheck.decode.admission.table import Table
from meshcheck.decode.admission.words import shown

TABLE = """
Namespace: apiVersion str, kind str, metadata ObjectMeta, spec NamespaceSpec, status NamespaceStatus
NamespaceSpec: finalizers [str~finalizer]
NamespaceStatus: conditions [Condition], phase str

ConfigMap #bags: apiVersion str, binaryData {bytes}#config_keys, data {str}#config_keys, immutable bool, kind str, metadata ObjectMeta

ServiceAccount: apiVersion str, automountServiceAccountToken bool, imagePullSecrets [LocalReference], kind str, metadata ObjectMeta,
    secrets [Reference]
LocalReference: name str
Reference: apiVersion str, fieldPath str, kind str, name str, namespace str, resourceVersion str, uid str

Node: apiVersion str, kind str, metadata ObjectMeta, spec NodeSpec, status NodeStatus
NodeSpec: configSource ConfigSource, externalID str, podCIDR str, podCIDRs [str], podPreemptionPolicy PreemptionPolicy, providerID str,
    taints [Taint#taint], unschedulable bool
PreemptionPolicy: disableResizePreemption [str]
ConfigSource: configMap ConfigMapSource
ConfigMapSource: kubeletConfigKey str, name str, namespace str, resourceVersion str, uid str
Taint: effect str, key str, timeAdded time, value str
NodeStatus: addresses [NodeAddress], allocatable {quantity}, capacity {quantity}, conditions [Condition], config any,
    daemonEndpoints any, declaredFeatures [str], features any, images [Image], nodeInfo any, phase str, runtimeHandlers any,
    volumesAttached [AttachedVolume], volumesInUse [str]
NodeAddress: address str, type str
Image: names [str], sizeBytes int64
AttachedVolume: devicePath str, name str
Condition: lastHeartbeatTime time, lastTransitionTime time, message str, reason str, status str, type str
"""
_MOST_CONFIG = 1024 * 1024


def _config_keys(value: dict[str, str]) -> Faults:
    for key in value:
        if said := formats.config_key(key):
            return at(said, key)
    return None


def _bags(value: dict[str, Any]) -> Faults:
    data, binary = value.get("data") or {}, value.get("binaryData") or {}
    for key in data:
        if key in binary:
            return at(f"`{shown(key)}` is in `binaryData`, too", "data", key)
    size = sum(len(text) for text in data.values()) + sum(len(text) * 3 // 4 for text in binary.values())
    return at("the data have more than 1 MiB") if size > _MOST_CONFIG else None


def _taint(value: dict[str, Any]) -> Faults:
    if said := formats.label_key(value.get("key", "")) or formats.label_value(value.get("value", "")):
        return at(said, "key")
    if value.get("effect") not in ("NoSchedule", "PreferNoSchedule", "NoExecute"):
        return at("a taint's effect is `NoSchedule`, `PreferNoSchedule` or `NoExecute`", "effect")
    return None


_RULES: dict[str, Check] = {"config_keys": _config_keys, "bags": _bags, "taint": _taint}
KINDS = Table(TABLE + metadata.TABLE, {**metadata.RULES, **_RULES}, metadata.FORMATS, lenient_nulls=True)
