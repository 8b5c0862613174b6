"""AuthorizationPolicy, RequestAuthentication and PeerAuthentication: what their CRDs refuse.

Source: istio/api:kubernetes/customresourcedefinitions.gen.yaml.
"""

from __future__ import annotations

from typing import Any

from meshcheck.decode.admission import metadata
from meshcheck.decode.admission.faults import Check, Faults, at
from meshcheck.decode.admission.istio_formats import FORMATS, keys_plain
from meshcheck.decode.admission.table import Table
from meshcheck.decode.admission.words import shown

TABLE = """
AuthorizationPolicy: apiVersion str, kind str, metadata ObjectMeta, spec Spec, status any
Spec %provider %selector|targetRef|targetRefs: action =ALLOW|DENY|AUDIT|CUSTOM, provider Provider, rules [Rule]:..512,
    selector Selector, targetRef TargetRef, targetRefs [TargetRef]:..16
Provider: name str
Rule: from [From]:..512, to [To], when [When]
From: source Source
Source #service_accounts: ipBlocks [str], namespaces [str], notIpBlocks [str], notNamespaces [str], notPrincipals [str],
    notRemoteIpBlocks [str], notRequestPrincipals [str], notServiceAccounts [str:..320]:..16, notTrustDomains [str], principals [str],
    remoteIpBlocks [str], requestPrincipals [str], serviceAccounts [str:..320]:..16, trustDomains [str]
To: operation Operation
Operation: hosts [str], methods [str], notHosts [str], notMethods [str], notPaths [str], notPorts [str], paths [str], ports [str]
When: key! str, notValues [str], values [str]
Selector: matchLabels {str:..63~no_star}:..4096#keys_plain
TargetRef: group str:..253~group, kind! str:1..63~kind, name! str:1..253, namespace str:..0

PeerAuthentication: apiVersion str, kind str, metadata ObjectMeta, spec PeerSpec, status any
PeerSpec #selected_ports: mtls Mtls, portLevelMtls {Mtls}:1..#port_numbers, selector Selector
Mtls: mode =UNSET|DISABLE|PERMISSIVE|STRICT

RequestAuthentication: apiVersion str, kind str, metadata ObjectMeta, spec RequestSpec, status any
RequestSpec %selector|targetRef|targetRefs: jwtRules [JwtRule]:..4096, selector Selector, targetRef TargetRef,
    targetRefs [TargetRef]:..16
JwtRule %jwks|jwksUri|jwks_uri: audiences [str:1..], forwardOriginalToken bool, fromCookies [str:1..], fromHeaders [FromHeader],
    fromParams [str:1..], issuer str:1.., jwks str, jwks_uri str:1..2048~http_url, jwksUri str:1..2048~http_url,
    outputClaimToHeaders [ClaimToHeader], outputPayloadToHeader str, spaceDelimitedClaims [str:1..]:..64, timeout str~duration
FromHeader: name! str:1.., prefix str
ClaimToHeader: claim! str:1.., header! str:1..~header
"""
_ACCOUNTS = ("serviceAccounts", "notServiceAccounts")
_IDENTITIES = ("principals", "notPrincipals", "namespaces", "notNamespaces")


def _service_accounts(value: dict[str, Any]) -> Faults:
    mine = next((name for name in _ACCOUNTS if name in value), None)
    theirs = next((name for name in _IDENTITIES if name in value), None)
    return at(f"`{mine}` cannot stand beside `{theirs}` in one source", mine) if mine and theirs else None


def _selected_ports(value: dict[str, Any]) -> Faults:
    if "portLevelMtls" in value and not (value.get("selector") or {}).get("matchLabels"):
        return at("`portLevelMtls` needs a selector with labels: ports belong to workloads", "portLevelMtls")
    return None


def _port_numbers(value: dict[str, Any]) -> Faults:
    for key in value:
        if not key.removeprefix("-").isdecimal() or not key.isascii() or len(key) > 6 or not 1 <= int(key) <= 65535:
            return at(f"`{shown(key)}` is not a port number between 1 and 65535", key)
    return None


_RULES: dict[str, Check] = {
    "service_accounts": _service_accounts,
    "selected_ports": _selected_ports,
    "port_numbers": _port_numbers,
    "keys_plain": keys_plain,
}
KINDS = Table(TABLE + metadata.TABLE, {**metadata.RULES, **_RULES}, {**metadata.CUSTOM_FORMATS, **FORMATS})
