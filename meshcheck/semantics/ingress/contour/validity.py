"""HTTPProxies that Contour does not serve, and why.

Source: projectcontour/contour:internal/dag/httpproxy_processor.go (computeHTTPProxy, validHTTPProxies), internal/dag/secret.go.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from meshcheck.model.foreign import Foreign
from meshcheck.semantics.addresses import parse_block
from meshcheck.semantics.world.world import World

Item = Mapping[str, Any]


def is_served(proxy: Foreign) -> bool:
    """Whether its class is one of Contour's: `contour`, or none."""
    notes = proxy.meta.annotations
    named = proxy.spec.get("ingressClassName") or notes.get("projectcontour.io/ingress.class") or notes.get("kubernetes.io/ingress.class")
    return named in (None, "", "contour")


def host_of(proxy: Foreign) -> str | None:
    """The host of a root, in lower case; None for an HTTPProxy that only others include."""
    host = proxy.spec.get("virtualhost")
    return str(host.get("fqdn") or "").lower() if isinstance(host, dict) else None


def addresses_flaw(item: Item) -> str | None:
    """What is wrong with the lists of addresses of a host or a route. Only the last entry is asked whether it is one."""
    allow, deny = item.get("ipAllowPolicy") or (), item.get("ipDenyPolicy") or ()
    if allow and deny:
        return "ipAllowPolicy and ipDenyPolicy exclude each other"
    entries = allow or deny
    if entries and not is_block(entries[-1]):
        return f"`{entries[-1].get('cidr')}` is no CIDR"
    return None


def is_block(entry: Item) -> bool:
    """Whether an entry of a list is an address or a block."""
    return parse_block(str(entry.get("cidr") or "")) is not None


def invalid(world: World, proxy: Foreign) -> str | None:
    """Why Contour serves nothing for a root; None when it does."""
    host: Item = proxy.spec.get("virtualhost") or {}
    name = host_of(proxy)
    twice = [p.meta for p in world.inventory.of("HTTPProxy") if p is not proxy and is_served(p) and host_of(p) == name]
    if twice:
        return f"{twice[0].ref} has the same fqdn"
    if not (proxy.spec.get("routes") or proxy.spec.get("includes") or proxy.spec.get("tcpproxy")):
        return "it has no routes, includes or tcpproxy"
    tls: Item | None = host.get("tls")
    secret = str((tls or {}).get("secretName") or "")
    if host.get("jwtProviders") and not secret:
        return "jwtProviders need tls.secretName"
    if tls is None and ((host.get("authorization") or {}).get("extensionRef") or {}).get("name"):
        return "authorization needs tls"
    if host.get("ipAllowPolicy") and host.get("ipDenyPolicy"):
        return "ipAllowPolicy and ipDenyPolicy exclude each other"
    wrong = _of_tls(world, proxy, tls, secret) if tls is not None else None
    return wrong or _of_cors(host.get("corsPolicy")) or addresses_flaw(host)


def _of_tls(world: World, proxy: Foreign, tls: Item, secret: str) -> str | None:
    passed = tls.get("passthrough") is True
    if bool(secret) == passed:
        return "tls needs one of secretName and passthrough"
    checks: Item | None = tls.get("clientValidation")
    if passed:
        return "clientValidation is not for passthrough" if checks is not None else None
    wrong = _of_secret(world, proxy, secret, ("tls.crt", "tls.key"))
    if wrong is not None or checks is None:
        return wrong
    if checks.get("caSecret"):
        return _of_secret(world, proxy, str(checks["caSecret"]), ("ca.crt",))
    return None if checks.get("skipClientCertValidation") is True else "clientValidation names no caSecret"


def _of_secret(world: World, proxy: Foreign, name: str, keys: tuple[str, ...]) -> str | None:
    namespace, _, short = name.rpartition("/")
    space = namespace or proxy.meta.namespace
    found = world.secret(space, short)
    if found is None:
        return f"Secret {space}/{short} does not exist" if world.complete("Secret", namespace=space, name=short) else None
    if space != proxy.meta.namespace:
        return None  # a TLSCertificateDelegation decides; it is asked where the call comes by
    return None if all(key in found.keys for key in keys) else f"Secret {space}/{short} has no {' and '.join(keys)}"


def _of_cors(policy: Item | None) -> str | None:
    if policy is None:
        return None
    if not policy.get("allowOrigin") or not policy.get("allowMethods"):
        return "corsPolicy needs allowOrigin and allowMethods"
    age = str(policy.get("maxAge") or "")
    if age and age != "0" and not re.fullmatch(r"(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+", age):
        return f"corsPolicy.maxAge `{age}` is no duration"
    return None
