"""Istio's mesh-wide settings, as far as they decide a verdict."""

from __future__ import annotations

from collections.abc import Mapping

from meshcheck.model.objects import Meta, Path
from meshcheck.model.record import record, replace, value


@value
class ExtensionProvider:
    """An external authorizer (or another provider: then `kind` is its field and the rest is empty)."""

    name: str
    kind: str
    """`envoyExtAuthzHttp`, `envoyExtAuthzGrpc`, or the field of another provider."""
    service: str
    port: int
    fail_open: bool
    status_on_error: str
    path_prefix: str
    path: Path


@value
class Topology:
    """What stands before a gateway: proxies that append to X-Forwarded-For, and whether they speak the PROXY protocol."""

    trusted_proxies: int = 0
    proxy_protocol: bool = False


@record
class MeshConfig:
    """Mesh config with Istio's defaults filled in. Source: istio/api:mesh/v1alpha1/config.proto."""

    root_namespace: str = "istio-system"
    trust_domain: str = "cluster.local"
    trust_domain_aliases: tuple[str, ...] = ()
    ca_trust_domains: tuple[str, ...] = ()
    """Of `caCertificates`: taken in certificates, and not the mesh's own."""
    normalization: str = "BASE"
    """NONE, BASE, MERGE_SLASHES or DECODE_AND_MERGE_SLASHES."""
    outbound_mode: str = "ALLOW_ANY"
    auto_mtls: bool = True
    providers: tuple[ExtensionProvider, ...] = ()
    service_export_to: tuple[str, ...] = ()
    virtual_service_export_to: tuple[str, ...] = ()
    destination_rule_export_to: tuple[str, ...] = ()
    """Defaults of `exportTo`; empty means everywhere."""
    sidecars_take_hbone: bool | None = None
    """Whether sidecars are injected so that they listen for HBONE (`ISTIO_META_ENABLE_HBONE`); None where mesh config was not read."""
    topology: Topology = Topology()
    """Of all proxies."""
    pod_topologies: Mapping[str, Topology] = None  # type: ignore[assignment]
    """Of pods, by the text of their annotation `proxy.istio.io/config`."""
    known: bool = False
    """Whether it was read; otherwise these are Istio's defaults."""
    meta: Meta | None = None
    """The ConfigMap it came from."""

    @property
    def trust_domains(self) -> tuple[str, ...]:
        """The mesh's own trust domain and its aliases."""
        return (self.trust_domain, *self.trust_domain_aliases)

    @property
    def accepted_domains(self) -> tuple[str, ...]:
        """The trust domains whose certificates servers take. Source: istio/istio:pilot/pkg/networking/plugin/authn/util.go."""
        return (*self.trust_domains, *self.ca_trust_domains)

    def means_the_same(self, other: MeshConfig) -> bool:
        """Whether nothing but the place differs."""
        return repr(replace(self, meta=None)) == repr(replace(other, meta=None))
