"""MutatingWebhookConfigurations, as far as they put sidecars into pods, and the settings of Istio's injector.

Sources: kubernetes/kubernetes:staging/src/k8s.io/apiserver/pkg/admission/plugin/webhook/predicates/rules/rules.go:Matcher;
istio/istio:pkg/kube/inject/inject.go:Config.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshcheck.decode.admission import metadata
from meshcheck.decode.admission.faults import REFUSED
from meshcheck.decode.admission.table import Table
from meshcheck.decode.metadata import decode_selector
from meshcheck.model.core import Selector
from meshcheck.model.injection import TEMPLATE, InjectorSettings, PodWebhook, WebhookConfiguration
from meshcheck.model.objects import Meta

_EMPTY: Mapping[str, Any] = {}


def decode_webhooks(value: Mapping[str, Any], meta: Meta) -> WebhookConfiguration:
    """A MutatingWebhookConfiguration."""
    return WebhookConfiguration(meta, tuple(_webhook(item, n) for n, item in enumerate(value.get("webhooks") or ())))


def _webhook(item: Mapping[str, Any], n: int) -> PodWebhook:
    from urllib.parse import urlsplit

    client = item.get("clientConfig") or _EMPTY
    service = client.get("service") or _EMPTY
    conditions = [c for c in item.get("matchConditions") or () if str(c.get("expression")).strip() != "true"]
    return PodWebhook(
        name=str(item.get("name") or ""),
        path=str(service.get("path") or "") or urlsplit(str(client.get("url") or "")).path,
        service=str(service.get("name") or ""),
        namespaces=decode_selector(item.get("namespaceSelector"), ("webhooks", n, "namespaceSelector")),
        pods=decode_selector(item.get("objectSelector"), ("webhooks", n, "objectSelector")),
        on_creation=any(_creates_pods(rule) for rule in item.get("rules") or ()),
        conditional=bool(conditions),
    )


def _creates_pods(rule: Mapping[str, Any]) -> bool:
    def names(field: str, *wanted: str) -> bool:
        return any(item in wanted for item in rule.get(field) or ())

    return (
        names("operations", "CREATE", "*")
        and names("apiGroups", "", "*")
        and names("apiVersions", "v1", "*")
        and names("resources", "pods", "pods/*", "*", "*/*")
        and rule.get("scope") in (None, "*", "Namespaced")
    )


def decode_settings(value: Mapping[str, Any], meta: Meta) -> InjectorSettings:
    """The injector's settings; fields of the wrong type are taken as absent."""
    policy, templates = value.get("policy"), value.get("defaultTemplates")
    return InjectorSettings(
        policy=policy if isinstance(policy, str) else "",
        never=_selectors(value.get("neverInjectSelector")),
        always=_selectors(value.get("alwaysInjectSelector")),
        templates=tuple(t for t in templates if isinstance(t, str)) if isinstance(templates, list) and templates else (TEMPLATE,),
        meta=meta,
    )


def _selectors(value: Any) -> tuple[Selector, ...]:
    """Selectors that istiod uses: those that are wrong and those that are empty it passes over."""
    items = [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
    check = Table(metadata.TABLE, metadata.RULES, metadata.FORMATS, lenient_nulls=True).check("LabelSelector")
    right = [decode_selector(item, ()) for item in items if not any(fault.code == REFUSED for fault in check(item) or ())]
    return tuple(selector for selector in right if selector.requirements)
