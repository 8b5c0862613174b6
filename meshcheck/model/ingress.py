"""Ingress and IngressClass. Source: kubernetes/api:networking/v1/types.go."""

from __future__ import annotations

from meshcheck.model.objects import Meta, Path
from meshcheck.model.record import record, value


@value
class Backend:
    """Where a path leads: a port of a Service, by number or name."""

    service: str
    port: int | str


@value
class IngressPath:
    """One path of a rule. `kind` is Exact, Prefix or ImplementationSpecific; without a Service it leads nowhere that is known."""

    path: str
    kind: str
    backend: Backend | None
    field: Path


@record
class IngressRule:
    """The paths of one host; an empty host stands for all."""

    host: str
    paths: tuple[IngressPath, ...]


@record
class Ingress:
    """An Ingress. `tls` holds (hosts, Secret) pairs."""

    meta: Meta
    class_name: str | None
    """`spec.ingressClassName`."""
    rules: tuple[IngressRule, ...]
    default_backend: Backend | None
    tls: tuple[tuple[tuple[str, ...], str], ...]

    @property
    def age(self) -> tuple[str, str, str]:
        """The older one wins."""
        return self.meta.created or "9999", self.meta.namespace, self.meta.name


@record
class IngressClass:
    """An IngressClass."""

    meta: Meta
    controller: str
