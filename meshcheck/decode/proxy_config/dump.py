"""A dump of Envoy's configuration: who the proxy is, and the chains of its inbound listener.

Sources: envoyproxy/envoy:api/envoy/admin/v3/config_dump.proto, config_dump_shared.proto;
istio/istio:pilot/pkg/networking/core/listener_inbound.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from meshcheck.decode.proxy_config import routes
from meshcheck.decode.proxy_config.conditions import identity, policy
from meshcheck.errors import UnreadableError
from meshcheck.model.pattern import pattern
from meshcheck.model.proxy_config import (
    ANY,
    CUSTOM,
    DRY_RUN,
    ENFORCED,
    Condition,
    InboundChain,
    RunningProvider,
    RunningProxy,
    RunningRules,
    any_of,
)

_CAMEL = pattern(r"(?<=[a-z0-9])([A-Z])")
_FREE = frozenset(["policies", "metadata", "LABELS", "providers"])
"""Mappings whose keys are names of somebody's own, not of fields."""


def proxy_of(dump: Any, source: str) -> RunningProxy:
    """The proxy behind a dump. Raises UnreadableError when it is none, or holds no inbound listener."""
    if isinstance(dump, dict) and "configs" not in dump and isinstance(dump.get("config_dump"), dict):
        dump = dump["config_dump"]
    configs = dump.get("configs") if isinstance(dump, dict) else None
    if not isinstance(configs, list):
        raise UnreadableError(f"`{source}`: no Envoy configuration: it needs `configs`, as `curl localhost:15000/config_dump` prints them")
    sections = [_snake(item) for item in configs if isinstance(item, dict)]
    node = next((_map(_map(s.get("bootstrap")).get("node")) for s in sections if "bootstrap" in s), {})
    dumps = [section for section in sections if str(section.get("@type", "")).endswith("ListenersConfigDump")]
    extensions = dict(_extension_filters(sections))
    listeners = [found for section in dumps for found in _listeners(section)]
    inbound = [found for found, _ in listeners if _is_inbound(found)]
    if not inbound:
        raise UnreadableError(f"`{source}`: the configuration holds no inbound listener of Istio: is this the dump of a sidecar?")
    meta = _map(node.get("metadata"))
    identity = str(node.get("id", "")).split("~")
    pod, _, namespace = identity[2].partition(".") if len(identity) == 4 else ("", "", "")
    return RunningProxy(
        source=source,
        node=str(node.get("id", "")),
        namespace=str(meta.get("NAMESPACE") or namespace),
        workload=str(meta.get("WORKLOAD_NAME") or ""),
        pod=str(meta.get("NAME") or pod),
        labels=tuple(sorted((str(k), str(v)) for k, v in _map(meta.get("LABELS")).items())),
        version=str(meta.get("ISTIO_VERSION") or ""),
        updated=max((updated for found, updated in listeners if _is_inbound(found)), default=""),
        inbound=tuple(chain for found in inbound for chain in _chains(found, extensions)),
        hosts=tuple(routes.hosts(sections)),
        clusters=frozenset(routes.clusters(sections)),
        pending=tuple(words for section in dumps for words in _pending(section)),
    )


def _listeners(section: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    for item in _maps(section.get("static_listeners")):
        yield _map(item.get("listener")), str(item.get("last_updated", ""))
    for item in _maps(section.get("dynamic_listeners")):
        state = _map(item.get("active_state"))
        if state:
            yield _map(state.get("listener")), str(state.get("last_updated", ""))


def _pending(section: Mapping[str, Any]) -> Iterator[str]:
    for item in _maps(section.get("dynamic_listeners")):
        if item.get("warming_state"):
            yield f"listener {item.get('name')} is still warming: Envoy goes on with the one before"
        if error := _map(item.get("error_state")).get("details"):
            yield f"listener {item.get('name')} was refused by Envoy: {error}"


def _is_inbound(listener: Mapping[str, Any]) -> bool:
    return listener.get("name") == "virtualInbound" or listener.get("traffic_direction") == "INBOUND"


def _chains(listener: Mapping[str, Any], extensions: Mapping[str, dict[str, Any]]) -> Iterator[InboundChain]:
    own = [_map(listener.get("default_filter_chain"))] if listener.get("default_filter_chain") else []
    for chain in [*_maps(listener.get("filter_chains")), *own]:
        name, match = str(chain.get("name", "")), _map(chain.get("filter_chain_match"))
        if not name.endswith("-blackhole"):  # calls to the listener's own port: nobody means them
            yield _chain(name, match, chain, extensions)


def _chain(name: str, match: Mapping[str, Any], chain: Mapping[str, Any], extensions: Mapping[str, dict[str, Any]]) -> InboundChain:
    network = [_resolved(item, extensions) for item in _maps(chain.get("filters"))]
    managers = [config for _, config in network if str(config.get("@type", "")).endswith("HttpConnectionManager")]
    http = [_resolved(item, extensions) for manager in managers for item in _maps(manager.get("http_filters"))]
    socket = _map(_map(chain.get("transport_socket")).get("typed_config"))
    port = match.get("destination_port")
    return InboundChain(
        name=name,
        port=port if isinstance(port, int) else None,
        transport=str(match.get("transport_protocol", "")),
        terminates_tls=str(socket.get("@type", "")).endswith("DownstreamTlsContext"),
        asks_certificate=socket.get("require_client_certificate") is True,
        trusts=_trusts(_map(socket.get("common_tls_context"))),
        http=bool(managers),
        rules=tuple(rules for _, config in (*network, *http) for rules in _rules(config)),
        providers=tuple(provider for _, config in http for provider in _providers(config)),
        filters=tuple(name for name, _ in (*network, *http)),
    )


def _trusts(context: Mapping[str, Any]) -> Condition:
    combined = _map(_map(context.get("combined_validation_context")).get("default_validation_context"))
    found = combined or _map(context.get("validation_context"))
    names = [identity(item) for item in _maps(found.get("match_subject_alt_names"))]
    names += [identity(_map(item.get("matcher"))) for item in _maps(found.get("match_typed_subject_alt_names"))]
    return any_of(names) if names else ANY


def _resolved(item: Mapping[str, Any], extensions: Mapping[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """Name and configuration of a filter, also where that came on a way of its own (ECDS)."""
    name = str(item.get("name", ""))
    return name, _map(item.get("typed_config")) or extensions.get(name, {})


def _extension_filters(sections: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for section in sections:
        for item in _maps(section.get("ecds_filters")):
            found = _map(item.get("ecds_filter"))
            yield str(found.get("name", "")), _map(found.get("typed_config"))


def _rules(config: Mapping[str, Any]) -> Iterator[RunningRules]:
    if not str(config.get("@type", "")).endswith(".rbac.v3.RBAC"):
        return
    if "rules" in config:
        yield _one(_map(config["rules"]), ENFORCED)
    if "shadow_rules" in config:
        custom = str(config.get("shadow_rules_stat_prefix", "")).startswith("istio_ext_authz_")
        yield _one(_map(config["shadow_rules"]), CUSTOM if custom else DRY_RUN)


def _one(rules: Mapping[str, Any], mode: str) -> RunningRules:
    policies = tuple(sorted((str(name), policy(_map(found))) for name, found in _map(rules.get("policies")).items()))
    return RunningRules(str(rules.get("action") or "ALLOW"), mode, policies)


def _providers(config: Mapping[str, Any]) -> Iterator[RunningProvider]:
    if str(config.get("@type", "")).endswith("JwtAuthentication"):
        for found in _map(config.get("providers")).values():
            keys, remote = _map(found.get("local_jwks")), _map(_map(found.get("remote_jwks")).get("http_uri"))
            audiences = found.get("audiences")
            yield RunningProvider(
                str(found.get("issuer", "")),
                tuple(str(item) for item in audiences) if isinstance(audiences, list) else (),
                keys.get("inline_string") if isinstance(keys.get("inline_string"), str) else None,
                remote.get("uri") if isinstance(remote.get("uri"), str) else None,
            )


def _snake(value: Any, free: bool = False) -> Any:
    """Field names as Envoy's admin port writes them; istioctl and others write `destinationPort`."""
    if isinstance(value, list):
        return [_snake(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key if free else _CAMEL.sub(lambda m: "_" + m[1].lower(), key): _snake(item, key in _FREE) for key, item in value.items()}


def _map(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _maps(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
