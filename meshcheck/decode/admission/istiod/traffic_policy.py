"""Traffic policies of DestinationRules.

Source: istio/istio:pkg/config/validation/validation.go:validateTrafficPolicy; agent/validation.go:ValidateTLS,
ValidateLocalityLbSetting.
"""

from __future__ import annotations

from math import isqrt
from typing import Any

from meshcheck.decode.admission.faults import Faults, at, below
from meshcheck.decode.admission.istio_formats import nanoseconds
from meshcheck.decode.admission.istiod import names
from meshcheck.decode.admission.words import shown

_COUNTS = ("http1MaxPendingRequests", "http2MaxRequests", "maxRequestsPerConnection", "maxRetries", "maxConcurrentStreams")
_PORT_PARTS = ("outlierDetection", "connectionPool", "loadBalancer", "tls")
_TOPOLOGY = ("topology.kubernetes.io/region", "topology.kubernetes.io/zone", "topology.istio.io/subzone")


def traffic_policy(policy: dict[str, Any] | None, namespace: str) -> Faults:
    """A traffic policy, and those of its ports."""
    if policy is None:
        return None
    if not any(policy.get(f) is not None for f in (*_PORT_PARTS, "tunnel", "proxyProtocol", "retryBudget")) and not policy.get(
        "portLevelSettings"
    ):
        return at("a traffic policy must say something")
    if "tunnel" in policy and "proxyProtocol" in policy:
        return at("`tunnel` and `proxyProtocol` exclude each other", "tunnel")
    budget = (policy.get("retryBudget") or {}).get("budgetInterval")
    if budget is not None and nanoseconds(budget) is None:
        return at(f"`{shown(budget)}` is no duration such as `5s`", "retryBudget", "budgetInterval")
    bad: Faults = _parts(policy, namespace) or below(_tunnel(policy.get("tunnel")), "tunnel")
    for number, settings in enumerate(policy.get("portLevelSettings") or ()):
        if bad:
            break
        if "port" not in settings:
            bad = at("`port` is required", "port")
        elif not any(field in settings for field in _PORT_PARTS):
            bad = at("settings of a port must say something")
        else:
            bad = _parts(settings, namespace)
        bad = below(bad, "portLevelSettings", number)
    return bad or None


def _parts(policy: dict[str, Any], namespace: str) -> Faults:
    return (
        below(_outlier(policy.get("outlierDetection")), "outlierDetection")
        or below(connection_pool(policy.get("connectionPool")), "connectionPool")
        or below(_load_balancer(policy.get("loadBalancer")), "loadBalancer")
        or below(_client_tls(policy.get("tls"), namespace), "tls")
    )


def _tunnel(tunnel: dict[str, Any] | None) -> Faults:
    if tunnel is None:
        return None
    if tunnel.get("protocol", "") not in ("", "CONNECT", "POST"):
        return at("must be CONNECT or POST", "protocol")
    host = tunnel["targetHost"]
    if names.fqdn(host) and not names.is_ip(host):
        return at(f"`{shown(host)}` is neither a DNS name nor an IP address", "targetHost")
    return at(said, "targetPort") if (said := names.port(tunnel["targetPort"])) else None


def _outlier(outlier: dict[str, Any] | None) -> Faults:
    if outlier is None:
        return None
    if not outlier.get("splitExternalLocalOriginErrors") and (outlier.get("consecutiveLocalOriginFailures") or 0) > 0:
        return at("needs `splitExternalLocalOriginErrors: true`", "consecutiveLocalOriginFailures")
    for field in ("maxEjectionPercent", "minHealthPercent"):
        if not 0 <= outlier.get(field, 0) <= 100:
            return at("must be between 0 and 100", field)
    return names.durations(outlier, "baseEjectionTime", "interval")


def connection_pool(pool: dict[str, Any] | None) -> Faults:
    """Limits of connections."""
    if pool is None:
        return None
    http, tcp = pool.get("http"), pool.get("tcp")
    if http is None and tcp is None:
        return at("`http` or `tcp` is required")
    return below(_http(http or {}), "http") or below(_tcp(tcp or {}), "tcp") or None


def _http(http: dict[str, Any]) -> Faults:
    for field in _COUNTS:
        if http.get(field, 0) < 0:
            return at("must not be negative", field)
    if http.get("h2UpgradePolicy") == "UPGRADE" and http.get("useClientProtocol"):
        return at("contradicts `h2UpgradePolicy: UPGRADE`", "useClientProtocol")
    alive = http.get("http2KeepAlive")
    for field in ("interval", "timeout"):
        if alive is not None and field not in alive:
            return at(f"`{field}` is required", "http2KeepAlive", field)
    return names.durations(http, "idleTimeout") or below(names.durations(alive, "interval", "timeout"), "http2KeepAlive") or None


def _tcp(tcp: dict[str, Any]) -> Faults:
    if tcp.get("maxConnections", 0) < 0:
        return at("must not be negative", "maxConnections")
    if "idleTimeout" in tcp and nanoseconds(tcp["idleTimeout"]) is None:
        return at(f"`{shown(tcp['idleTimeout'])}` is no duration such as `5s`", "idleTimeout")
    disabled = abs(nanoseconds(tcp.get("idleTimeout") or "0s") or 0) < 10**6  # 0 is no limit
    if not disabled and (bad := names.durations(tcp, "idleTimeout")):
        return bad
    return names.durations(tcp, "connectTimeout", "maxConnectionDuration") or (
        below(names.durations(tcp.get("tcpKeepalive"), "time", "interval"), "tcpKeepalive") or None
    )


def _load_balancer(balancer: dict[str, Any] | None) -> Faults:
    if balancer is None:
        return None
    if "localityLbSetting" in balancer and "zoneAwareLbSetting" in balancer:
        return at("`localityLbSetting` and `zoneAwareLbSetting` exclude each other", "zoneAwareLbSetting")
    warmup = balancer.get("warmup")
    if warmup is not None:
        if bad := names.durations(warmup, "duration"):
            return below(bad, "warmup")
        if warmup.get("aggression") is not None and warmup["aggression"] <= 0:
            return at("must be greater than 0", "warmup", "aggression")
    return (
        below(_hash(balancer.get("consistentHash")), "consistentHash")
        or below(_locality(balancer.get("localityLbSetting")), "localityLbSetting")
        or below(_zones(balancer.get("zoneAwareLbSetting")), "zoneAwareLbSetting")
    )


def _hash(value: dict[str, Any] | None) -> Faults:
    if value is None:
        return None
    cookie, maglev = value.get("httpCookie"), value.get("maglev")
    if cookie is not None:
        if cookie.get("ttl") is not None and nanoseconds(cookie["ttl"]) is None:
            return at(f"`{shown(cookie['ttl'])}` is no duration such as `5s`", "httpCookie", "ttl")
        if not cookie["name"]:
            return at("a cookie needs a name", "httpCookie", "name")
        seen = set()
        for number, attribute in enumerate(cookie.get("attributes") or ()):
            if not attribute["name"] or attribute["name"] in seen:
                return at("attributes need different names", "httpCookie", "attributes", number, "name")
            seen.add(attribute["name"])
    if value.get("minimumRingSize") and ("ringHash" in value or maglev is not None):
        return at("is old; `ringHash` says it", "minimumRingSize")
    if maglev is not None and not (0 < maglev.get("tableSize", 0) < 5000011 and _is_prime(maglev["tableSize"])):
        return at("must be a prime number below 5000011", "maglev", "tableSize")
    return None


def _is_prime(number: int) -> bool:
    if 0 < number < 4:
        return True
    return number % 2 == 1 and all(number % factor for factor in range(3, isqrt(number) + 1, 2))


def _locality(setting: dict[str, Any] | None) -> Faults:
    if setting is None:
        return None
    distribute, failover = setting.get("distribute") or [], setting.get("failover") or []
    if distribute and failover:
        return at("`distribute` and `failover` exclude each other", "distribute")
    if failover and any(label in _TOPOLOGY for label in setting.get("failoverPriority") or ()):
        return at("`failover` and topology labels exclude each other", "failoverPriority")
    for number, item in enumerate(distribute):
        weights = item.get("to") or {}
        if any(not 1 <= weight <= 100 for weight in weights.values()) or sum(weights.values()) != 100:
            return at("weights are between 1 and 100, and 100 together", "distribute", number, "to")
        if said := _overlap(list(weights)):
            return at(said, "distribute", number, "to")
    if said := _overlap([item.get("from", "") for item in distribute]):
        return at(said, "distribute")
    return _failover(failover)


def _failover(failover: list[dict[str, Any]]) -> Faults:
    for number, item in enumerate(failover):
        one, other = item.get("from", ""), item.get("to", "")
        if one == other or "/" in one + other or "*" in one + other:
            return at("must name two different regions, without zones and `*`", "failover", number)
    return None


def _zones(setting: dict[str, Any] | None) -> Faults:
    if setting is None:
        return None
    for number, label in enumerate(setting.get("failoverPriority") or ()):
        if label in _TOPOLOGY:
            return at(f"`{label}` is taken into account anyway", "failoverPriority", number)
    return _failover(setting.get("failover") or [])


def _overlap(localities: list[str]) -> str | None:
    """Says which locality covers another one."""
    seen: list[tuple[str, ...]] = []
    for text in localities:
        if "*" in text and (text.count("*") > 1 or not text.endswith("*")):
            return f"`{shown(text)}`: one `*` at the end is allowed"
        parts = tuple(text.split("/", 2))
        if not all(parts):
            return f"`{shown(text)}` has an empty part"
        bare = tuple(part for part in parts if part != "*")
        for other in seen:
            length = min(len(bare), len(other))
            if bare[:length] == other[:length]:
                return f"`{shown(text)}` overlaps with one before"
        seen.append(bare)
    return None


def _client_tls(tls: dict[str, Any] | None, namespace: str) -> Faults:
    if tls is None:
        return None
    mode, credential = tls.get("mode", "DISABLE"), tls.get("credentialName", "")
    if credential.startswith("configmap://"):
        parts = credential.removeprefix("configmap://").split("/")
        if len(parts) < 2 or not all(parts[:2]) or parts[0] != namespace:
            return at("must name a ConfigMap of the same namespace, `configmap://NAMESPACE/NAME`", "credentialName")
    if tls.get("insecureSkipVerify") and mode in ("SIMPLE", "MUTUAL"):
        for field in ("caCertificates", "subjectAltNames", *(("credentialName",) if mode == "SIMPLE" else ())):
            if tls.get(field):
                return at("contradicts `insecureSkipVerify`", field)
    if mode in ("SIMPLE", "MUTUAL") and credential:
        for field in ("clientCertificate", "caCertificates", "privateKey", "caCrl"):
            if tls.get(field):
                return at("cannot stand beside `credentialName`", field)
        return None
    if mode == "MUTUAL":
        for field in ("clientCertificate", "privateKey"):
            if not tls.get(field):
                return at(f"MUTUAL needs `{field}`, or a `credentialName`", field)
    return None
