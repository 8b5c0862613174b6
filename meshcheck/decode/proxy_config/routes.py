"""Outbound routes and clusters of a dump.

Source: envoyproxy/envoy:api/envoy/admin/v3/config_dump_shared.proto; istio/istio:pilot/pkg/networking/core/httproute.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from meshcheck.model.proxy_config import RunningHost


def hosts(sections: list[dict[str, Any]]) -> Iterator[RunningHost]:
    """All virtual hosts but those of inbound chains."""
    for section in sections:
        for item in (*_maps(section.get("static_route_configs")), *_maps(section.get("dynamic_route_configs"))):
            table = item.get("route_config")
            if isinstance(table, dict) and not str(table.get("name", "")).startswith("inbound|"):
                yield from _hosts_of(table)


def clusters(sections: list[dict[str, Any]]) -> Iterator[str]:
    """Names of all clusters."""
    for section in sections:
        for item in (*_maps(section.get("static_clusters")), *_maps(section.get("dynamic_active_clusters"))):
            if isinstance(item.get("cluster"), dict):
                yield str(item["cluster"].get("name", ""))


def _hosts_of(table: Mapping[str, Any]) -> Iterator[RunningHost]:
    for host in _maps(table.get("virtual_hosts")):
        domains = host.get("domains")
        yield RunningHost(
            str(table.get("name", "")),
            tuple(str(domain) for domain in domains) if isinstance(domains, list) else (),
            tuple(dict.fromkeys(_clusters_of(host.get("routes")))),
        )


def _clusters_of(value: Any) -> Iterator[str]:
    """`cluster` wherever it stands in routes: alone, or among weighted ones."""
    for route in _maps(value):
        action = route.get("route")
        if isinstance(action, dict):
            weighted = action.get("weighted_clusters")
            named = [
                action.get("cluster"),
                *(c.get("name") for c in _maps(weighted.get("clusters") if isinstance(weighted, dict) else None)),
            ]
            yield from (name for name in named if isinstance(name, str))


def _maps(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
