"""Mesh config, from the ConfigMap `istio` or from a file. Its YAML text is read by the caller."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshcheck.model.mesh_config import ExtensionProvider, MeshConfig, Topology
from meshcheck.model.objects import Meta

_EMPTY: Mapping[str, Any] = {}


def decode_mesh_config(
    value: Mapping[str, Any], meta: Meta | None = None, *, root_namespace: str | None = None, trust_domain: str | None = None
) -> MeshConfig:
    """Mesh config; fields of the wrong type are taken as absent. The keyword arguments fill what it does not say."""
    normalization = _text(_map(value.get("pathNormalization")).get("normalization")) or "DEFAULT"
    return MeshConfig(
        root_namespace=_text(value.get("rootNamespace")) or root_namespace or (meta.namespace if meta else "istio-system"),
        trust_domain=_text(value.get("trustDomain")) or trust_domain or "cluster.local",
        trust_domain_aliases=_texts(value.get("trustDomainAliases")),
        ca_trust_domains=tuple(name for item in _maps(value.get("caCertificates")) for name in _texts(item.get("trustDomains"))),
        normalization="BASE" if normalization == "DEFAULT" else normalization,
        outbound_mode=_text(_map(value.get("outboundTrafficPolicy")).get("mode")) or "ALLOW_ANY",
        auto_mtls=value.get("enableAutoMtls") is not False,
        providers=tuple(_provider(item, n) for n, item in enumerate(_list(value.get("extensionProviders"))) if isinstance(item, dict)),
        service_export_to=_texts(value.get("defaultServiceExportTo")),
        virtual_service_export_to=_texts(value.get("defaultVirtualServiceExportTo")),
        destination_rule_export_to=_texts(value.get("defaultDestinationRuleExportTo")),
        sidecars_take_hbone=_takes_hbone(_map(value.get("defaultConfig"))) if value or meta is not None else None,
        topology=decode_topology(_map(value.get("defaultConfig"))),
        known=bool(value) or meta is not None,
        meta=meta,
    )


def _takes_hbone(proxy_config: Mapping[str, Any]) -> bool:
    return _map(proxy_config.get("proxyMetadata")).get("ISTIO_META_ENABLE_HBONE") in ("true", True)


def merged_mesh_config(user: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """What istiod makes of its own mesh config and the one of the ConfigMap that SHARED_MESH_CONFIG names: its own fields win.

    Source: istio/istio:pkg/config/mesh/mesh.go:ApplyMeshConfig (providers by name, aliases together, the proxy's defaults field by field).
    """
    providers = {str(item.get("name")): item for values in (user, own) for item in _maps(values.get("extensionProviders"))}
    aliases = dict.fromkeys(name for values in (user, own) for name in _texts(values.get("trustDomainAliases")))
    out = {**user, **own, "extensionProviders": list(providers.values()), "trustDomainAliases": sorted(aliases)}
    if "defaultConfig" in out:
        out["defaultConfig"] = {**_map(user.get("defaultConfig")), **_map(own.get("defaultConfig"))}
    return out


def decode_topology(proxy_config: Mapping[str, Any]) -> Topology:
    """What `gatewayTopology` of a proxy's configuration says."""
    topology = _map(proxy_config.get("gatewayTopology"))
    trusted = topology.get("numTrustedProxies")
    return Topology(trusted if isinstance(trusted, int) and not isinstance(trusted, bool) else 0, topology.get("proxyProtocol") is not None)


def _provider(item: Mapping[str, Any], n: int) -> ExtensionProvider:
    kind = next((key for key in item if key != "name"), "")
    body = _map(item.get(kind))
    port = body.get("port")
    return ExtensionProvider(
        name=_text(item.get("name")),
        kind=kind,
        service=_text(body.get("service")),
        port=int(port) if isinstance(port, int) or (isinstance(port, str) and port.isdigit()) else 0,
        fail_open=body.get("failOpen") is True,
        status_on_error=str(body.get("statusOnError") or ""),
        path_prefix=_text(body.get("pathPrefix")),
        path=("extensionProviders", n),
    )


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else _EMPTY


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _maps(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in _list(value) if isinstance(item, dict)]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(item for item in _list(value) if isinstance(item, str))
