"""What is kept of the objects that sidecars are injected by: not certificates, and not the injector's templates.

Templates are long, look like secrets, and hold marks of another language.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from meshcheck.model.pattern import pattern

WEBHOOKS = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
CONFIG_MAP = "istio-sidecar-injector"
"""The name of the ConfigMap with the injector's settings, or the beginning of it: that of a revision stands behind."""
FIELD = "config"
_TOP = pattern(r"^(?=[^\s#-])", re.MULTILINE)
_READ = ("policy:", "neverInjectSelector:", "alwaysInjectSelector:", "defaultTemplates:")


def settings_text(text: str) -> str:
    """What is read of the field `config`: whole where it is not written in blocks, as the chart writes it."""
    if text.lstrip()[:1] in ("{", "-", "%"):
        return text
    return "".join(block for block in _TOP.split(text) if block.startswith(_READ))


def without_bundles(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """A configuration of webhooks without the certificates that somebody renews from time to time."""
    webhooks = value.get("webhooks")
    if value.get("kind") not in WEBHOOKS or not isinstance(webhooks, list):
        return value
    return {**value, "webhooks": [_without_bundle(item) for item in webhooks]}


def _without_bundle(webhook: Any) -> Any:
    client = webhook.get("clientConfig") if isinstance(webhook, dict) else None
    if not isinstance(client, dict):
        return webhook
    return {**webhook, "clientConfig": {key: item for key, item in client.items() if key != "caBundle"}}


def without_templates(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """The ConfigMap of an injector with what is read of it; any other object as it is."""
    data, name = value.get("data"), str((value.get("metadata") or {}).get("name"))
    if value.get("kind") != "ConfigMap" or not name.startswith(CONFIG_MAP) or not isinstance(data, dict):
        return value
    text = data.get(FIELD)
    return {**value, "data": {FIELD: settings_text(text)} if isinstance(text, str) else {}}
