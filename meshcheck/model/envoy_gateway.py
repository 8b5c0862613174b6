"""Envoy Gateway's policies. Source: envoyproxy/gateway:api/v1alpha1/*.go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshcheck.model.core import Selector
from meshcheck.model.objects import Meta
from meshcheck.model.record import record, value


@value
class PolicyTarget:
    """What a policy is attached to by name, in its own namespace. `section`: a listener, or a rule of a route."""

    kind: str
    name: str
    section: str


@record
class TargetSelector:
    """What a policy is attached to by label. `namespaces` is Same or All."""

    kind: str
    labels: Selector
    namespaces: str


@record
class EnvoyPolicy:
    """A SecurityPolicy, ClientTrafficPolicy, BackendTrafficPolicy, EnvoyExtensionPolicy or EnvoyPatchPolicy (`kind`)."""

    meta: Meta
    kind: str
    targets: tuple[PolicyTarget, ...]
    selectors: tuple[TargetSelector, ...]
    merges: bool
    """`mergeType` is set: it is laid over the policy of its parent and does not replace it."""
    spec: Mapping[str, Any]

    @property
    def age(self) -> tuple[str, str, str]:
        return self.meta.created or "9999", self.meta.namespace, self.meta.name
