"""What puts sidecars into pods that are created: webhooks of the API server, and the settings of Istio's injector behind them."""

from __future__ import annotations

from meshcheck.model.core import Selector
from meshcheck.model.objects import Meta
from meshcheck.model.record import record, value

WEBHOOKS = "MutatingWebhookConfiguration"
"""The heading of webhook configurations in the inventory."""
TEMPLATE = "sidecar"


@value
class PodWebhook:
    """One webhook, as far as it decides about pods that are created."""

    name: str
    path: str
    """Of the request that it makes: `/inject`."""
    service: str
    """The name of the Service that answers; empty for a URL."""
    namespaces: Selector
    pods: Selector
    on_creation: bool
    """Whether its rules name the creation of pods."""
    conditional: bool
    """Whether it has `matchConditions` beside that, which nobody evaluates here."""


@record
class WebhookConfiguration:
    """A MutatingWebhookConfiguration."""

    meta: Meta
    webhooks: tuple[PodWebhook, ...]


@record
class InjectorSettings:
    """The ConfigMap `istio-sidecar-injector`. Source: istio/istio:pkg/kube/inject/inject.go:Config."""

    policy: str = "enabled"
    """Whether pods that say nothing get a sidecar: `enabled`, `disabled`, or anything else, which turns injection off."""
    never: tuple[Selector, ...] = ()
    always: tuple[Selector, ...] = ()
    templates: tuple[str, ...] = (TEMPLATE,)
    """The templates of pods that name none."""
    meta: Meta | None = None
    broken: str | None = None
    """Why it cannot be read."""
