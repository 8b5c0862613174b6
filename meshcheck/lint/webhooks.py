"""The Services that the API server calls: webhooks of admission and conversion, and other API servers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from meshcheck.lint.evidence import Evidence
from meshcheck.model.objects import ObjectRef, Origin, Path


def called_services(evidence: Evidence) -> Iterator[tuple[ObjectRef, Origin, Path, Mapping[str, Any], str]]:
    """(object, origin, path, reference, what fails without it) of each Service; the reference has `namespace`, `name` and maybe `port`."""
    for kind, fails, parts in _KINDS:
        for ref, origin, value in evidence.written(kind):
            for field, service in parts(value):
                yield ref, origin, field, service, fails


def _webhooks(value: Mapping[str, Any]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    webhooks = value.get("webhooks")
    for n, item in enumerate(webhooks if isinstance(webhooks, list) else ()):
        yield from _service(item, ("webhooks", n), "clientConfig", "service")


def _conversion(value: Mapping[str, Any]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    yield from _service(value, (), "spec", "conversion", "webhook", "clientConfig", "service")


def _api_service(value: Mapping[str, Any]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    yield from _service(value, (), "spec", "service")


def _service(value: Any, at: Path, *steps: str) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    for step in steps:
        value = value.get(step) if isinstance(value, dict) else None
    if isinstance(value, dict):
        yield (*at, *steps), value


_KINDS = (
    ("ValidatingWebhookConfiguration", "admission", _webhooks),
    ("MutatingWebhookConfiguration", "admission", _webhooks),
    ("CustomResourceDefinition", "conversion of the kind", _conversion),
    ("APIService", "its API", _api_service),
)
"""(kind, what fails, where it names Services)."""
