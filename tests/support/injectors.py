"""The webhooks with which Istio injects sidecars.

Source: istio/istio:manifests/charts/istio-control/istio-discovery/templates/mutatingwebhook.yaml, revision-tags-mwc.yaml.
"""

from __future__ import annotations

from typing import Any

import yaml

Json = dict[str, Any]
_INJECT = "sidecar.istio.io/inject"
_SYSTEM = ("kube-system", "kube-public", "kube-node-lease", "local-path-storage")


def _when(*expressions: tuple[str, str] | tuple[str, str, str]) -> Json:
    return {
        "matchExpressions": [
            {"key": e[0], "operator": e[1], **({"values": [e[2]]} if len(e) > 2 else {})} for e in expressions
        ]
    }  # fmt: skip


def _webhook(prefix: str, service: str, namespaces: Json, pods: Json) -> Json:
    return {
        "name": f"{prefix}sidecar-injector.istio.io",
        "clientConfig": {"service": {"name": service, "namespace": "istio-system", "path": "/inject", "port": 443}},
        "sideEffects": "None",
        "rules": [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}],
        "failurePolicy": "Ignore",
        "admissionReviewVersions": ["v1"],
        "namespaceSelector": namespaces,
        "objectSelector": pods,
    }


def injector(revision: str = "default", *, tag: str | None = None, everywhere: bool = False) -> Json:
    """The configuration of a revision, or of a tag of it. `everywhere`: namespaces without labels are injected, too.

    Where nobody answers, pods are created without a sidecar: the chart refuses them instead.
    """
    name, service = tag or revision, "istiod" if revision == "default" else f"istiod-{revision}"
    no_rev, no_injection = ("istio.io/rev", "DoesNotExist"), ("istio-injection", "DoesNotExist")
    open_ = (_INJECT, "NotIn", "false")
    webhooks = [
        _webhook("rev.namespace.", service, _when(("istio.io/rev", "In", name), no_injection), _when(open_)),
        _webhook("rev.object.", service, _when(no_rev, no_injection), _when(open_, ("istio.io/rev", "In", name))),
    ]
    if name == "default":
        webhooks += [
            _webhook("namespace.", service, _when(("istio-injection", "In", "enabled")), _when(open_)),
            _webhook("object.", service, _when(no_injection, no_rev), _when((_INJECT, "In", "true"), no_rev)),
        ]
        if everywhere:
            apart = {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": [*_SYSTEM]}
            spaces = _when(no_injection, no_rev)
            spaces["matchExpressions"].append(apart)
            webhooks.append(_webhook("auto.", service, spaces, _when((_INJECT, "DoesNotExist"), no_rev)))
    written = "istio-revision-tag-" + tag if tag else "istio-sidecar-injector" + ("" if revision == "default" else f"-{revision}")
    labels = {"istio.io/rev": revision, "app": "sidecar-injector", **({"istio.io/tag": tag} if tag else {})}
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": written, "labels": labels},
        "webhooks": webhooks,
    }


def text(*configurations: Json) -> str:
    """As documents."""
    return yaml.safe_dump_all(configurations, sort_keys=False)
