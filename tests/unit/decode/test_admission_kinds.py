"""What is refused of each kind, one row a rule: a base object, what is changed, and the field that is blamed."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml

from meshcheck.decode.admission import problems
from meshcheck.model.objects import dotted
from tests.unit.decode.admission_bases import BASES

API, ISTIOD = "api-server", "istiod"
ROWS: list[tuple[str, str, str, str, str | None]] = [
    # base, field that is changed, its new value as YAML (`-` deletes it), field that is blamed, who refuses (None: nobody)
    ("pod", "metadata.name", "-", "metadata.name", API),
    ("pod", "metadata.name", "A_b", "metadata.name", API),
    ("pod", "metadata.labels", "{a: 'b c'}", "metadata.labels.a", API),
    ("pod", "metadata.labels", "{-a: b}", "metadata.labels.-a", API),
    ("pod", "metadata.labels", "{a: yes}", "metadata.labels.a", API),
    ("pod", "metadata.namespace", "a.b", "metadata.namespace", API),
    ("pod", "spec.containers", "[]", "spec.containers", API),
    ("pod", "spec.containers.0.image", "-", "spec.containers[0].image", API),
    ("pod", "spec.containers.0.name", "A", "spec.containers[0].name", API),
    ("pod", "spec.containers.1.name", "a", "spec.containers[1].name", API),
    ("pod", "spec.containers.0.ports.0.containerPort", "0", "spec.containers[0].ports[0].containerPort", API),
    ("pod", "spec.containers.0.ports.0.containerPort", "'80'", "spec.containers[0].ports[0].containerPort", API),
    ("pod", "spec.containers.0.ports.0.protocol", "tcp", "spec.containers[0].ports[0].protocol", API),
    ("pod", "spec.containers.0.ports.0.name", "'80'", "spec.containers[0].ports[0].name", API),
    ("pod", "spec.containers.0.env.0.value", "1", "spec.containers[0].env[0].value", API),
    ("pod", "spec.containers.0.env.0.name", "a=b", "spec.containers[0].env[0].name", API),
    ("pod", "spec.containers.0.volumeMounts.0.name", "other", "spec.containers[0].volumeMounts[0].name", API),
    ("pod", "spec.containers.0.resources.requests.cpu", "'2'", "spec.containers[0].resources.requests.cpu", API),
    ("pod", "spec.restartPolicy", "always", "spec.restartPolicy", API),
    ("pod", "spec.containers.0.livenessProbe.httpGet", "-", "spec.containers[0].livenessProbe", API),
    ("pod", "spec.foo", "1", "spec.foo", None),
    ("deployment", "spec.selector", "-", "spec.selector", API),
    ("deployment", "spec.selector.matchLabels.app", "b", "spec.selector", API),
    ("deployment", "spec.selector", "{}", "spec.selector", API),
    ("deployment", "spec.replicas", "'2'", "spec.replicas", API),
    ("deployment", "spec.replicas", "2.0", "", None),
    ("deployment", "spec.template.spec.restartPolicy", "Never", "spec.template.spec.restartPolicy", API),
    ("deployment", "spec.template.metadata.annotations", "{a: true}", "spec.template.metadata.annotations.a", API),
    ("deployment", "apiVersion", "extensions/v1beta1", "apiVersion", API),
    ("deployment", "apiVersion", "apps/v1beta2", "apiVersion", API),
    ("deployment", "apiVersion", "example.com/v1", "", None),
    ("service", "spec.ports", "[]", "spec.ports", API),
    ("service", "spec.ports.0.port", "0", "spec.ports[0].port", API),
    ("service", "spec.ports.0.port", "70000", "spec.ports[0].port", API),
    ("service", "spec.ports.0.name", "-", "spec.ports[0].name", API),
    ("service", "spec.ports.1.name", "http", "spec.ports[1].name", API),
    ("service", "spec.ports.1.port", "80", "spec.ports[1].port", API),
    ("service", "spec.ports.0.targetPort", "'8080'", "spec.ports[0].targetPort", API),
    ("service", "spec.ports.0.protocol", "HTTP", "spec.ports[0].protocol", API),
    ("service", "spec.ports.0.nodePort", "30000", "spec.ports[0].nodePort", API),
    ("service", "spec.type", "ExternalName", "spec.externalName", API),
    ("service", "spec.clusterIP", "none", "spec.clusterIP", API),
    ("service", "spec.clusterIP", "None", "", None),
    ("service", "spec.externalTrafficPolicy", "Local", "spec.externalTrafficPolicy", API),
    ("service", "metadata.name", "a.b", "metadata.name", API),
    ("service", "metadata.name", "1a", "", None),
    ("network-policy", "spec.ingress.0.from", "[{}]", "spec.ingress[0].from[0]", API),
    ("network-policy", "spec.ingress.0.from", "[]", "", None),
    ("network-policy", "spec.ingress.0.from.0.ipBlock.cidr", "10.1.2.3/8", "spec.ingress[0].from[0].ipBlock.cidr", API),
    ("network-policy", "spec.ingress.0.from.0.ipBlock.cidr", "10.0.0.0", "spec.ingress[0].from[0].ipBlock.cidr", API),
    ("network-policy", "spec.ingress.0.from.0.ipBlock.except", "[11.0.0.0/8]", "spec.ingress[0].from[0].ipBlock.except[0]", API),
    ("network-policy", "spec.ingress.0.from.0.podSelector", "{}", "spec.ingress[0].from[0].ipBlock", API),
    ("network-policy", "spec.ingress.0.ports.0.endPort", "1", "spec.ingress[0].ports[0].endPort", API),
    ("network-policy", "spec.ingress.0.ports.0.port", "HTTP", "spec.ingress[0].ports[0].port", API),
    ("network-policy", "spec.policyTypes", "[ingress]", "spec.policyTypes[0]", API),
    (
        "network-policy",
        "spec.podSelector",
        "{matchExpressions: [{key: a, operator: In}]}",
        "spec.podSelector.matchExpressions[0].values",
        API,
    ),
    ("network-policy", "spec.podSelector", "null", "", None),
    ("admin-policy", "spec.priority", "1001", "spec.priority", API),
    ("admin-policy", "spec.subject", "{}", "spec.subject", API),
    ("admin-policy", "spec.egress.0.to", "[]", "spec.egress[0].to", API),
    ("admin-policy", "spec.egress.0.to", "[{foo: 1}]", "spec.egress[0].to[0]", API),
    ("admin-policy", "spec.egress.0.ports", "[{namedPort: http}]", "spec.egress[0].ports", API),
    ("cluster-policy", "spec.tier", "admin", "spec.tier", API),
    ("cluster-policy", "spec.ingress.0.protocols", "[{tcp: {}}]", "spec.ingress[0].protocols[0].tcp", API),
    ("authorization", "spec.action", "deny", "spec.action", API),
    ("authorization", "spec.selector.matchLabels.app", "'*'", "spec.selector.matchLabels.app", API),
    ("authorization", "spec.targetRefs", "[{kind: Service, group: '', name: a}]", "spec", API),
    ("authorization", "spec.rules", "-", "spec.rules", ISTIOD),
    ("authorization", "spec.rules.0.from.0.source", "{}", "spec.rules[0].from[0].source", ISTIOD),
    ("authorization", "spec.rules.0.from.0.source.ipBlocks", "[10.1.2.3/8]", "", None),
    ("authorization", "spec.rules.0.from.0.source.ipBlocks", "[10.0.0]", "spec.rules[0].from[0].source.ipBlocks[0]", ISTIOD),
    ("authorization", "spec.rules.0.from.0.source.trustDomains", "[a/b]", "spec.rules[0].from[0].source.trustDomains[0]", ISTIOD),
    ("authorization", "spec.rules.0.from.0.source.serviceAccounts", "[a]", "spec.rules[0].from[0].source.serviceAccounts", API),
    ("authorization", "spec.rules.0.to.0.operation.ports", "['80-90']", "spec.rules[0].to[0].operation.ports[0]", ISTIOD),
    ("authorization", "spec.rules.0.to.0.operation.paths", "['/a{b}']", "spec.rules[0].to[0].operation.paths[0]", ISTIOD),
    ("authorization", "spec.rules.0.to.0.operation.paths", "['/{**}/{*}']", "spec.rules[0].to[0].operation.paths[0]", ISTIOD),
    ("authorization", "spec.rules.0.to.0.operation.paths", "['/a/{*}/{**}']", "", None),
    ("authorization", "spec.rules.0.to.0.operation.paths", "['']", "spec.rules[0].to[0].operation.paths[0]", ISTIOD),
    ("authorization", "spec.rules.0.when.0.key", "request.nonsense", "spec.rules[0].when[0].key", ISTIOD),
    ("authorization", "spec.rules.0.when.0.key", "'request.headers[]'", "spec.rules[0].when[0].key", ISTIOD),
    ("authorization", "spec.rules.0.when.0.values", "-", "spec.rules[0].when[0].values", ISTIOD),
    ("authorization", "metadata.annotations", "{istio.io/dry-run: 'maybe'}", "metadata.annotations[istio.io/dry-run]", ISTIOD),
    ("custom", "spec.provider", "-", "spec.provider", ISTIOD),
    ("custom", "spec.rules.0.from", "[{source: {principals: [a]}}]", "spec.rules[0].from[0].source.principals", ISTIOD),
    ("custom", "metadata.annotations", "{istio.io/dry-run: 'true'}", "metadata.annotations[istio.io/dry-run]", ISTIOD),
    ("request-authentication", "spec.jwtRules.0.jwks", "nonsense", "spec.jwtRules[0].jwks", ISTIOD),
    ("request-authentication", "spec.jwtRules.0.jwksUri", "https://a", "spec.jwtRules[0]", API),
    ("request-authentication", "spec.jwtRules.0.issuer", "-", "spec.jwtRules[0]", ISTIOD),
    ("peer-authentication", "spec.selector", "-", "spec.portLevelMtls", API),
    ("peer-authentication", "spec.portLevelMtls", "{'0': {mode: STRICT}}", "spec.portLevelMtls.0", API),
    ("peer-authentication", "spec.mtls.mode", "MUTUAL", "spec.mtls.mode", API),
    ("virtual-service", "spec.hosts", "['*']", "spec.hosts[0]", ISTIOD),
    ("virtual-service", "spec.hosts", "[a.example.com, '*.example.com']", "spec.hosts[1]", ISTIOD),
    ("virtual-service", "spec.http.0.route.0.destination.host", "'*'", "spec.http[0].route[0].destination.host", ISTIOD),
    ("virtual-service", "spec.http.0.route.0.destination.port", "80", "spec.http[0].route[0].destination.port", API),
    ("virtual-service", "spec.http.0.redirect", "{uri: /x}", "spec.http[0].route", ISTIOD),
    ("virtual-service", "spec.http.0.match.0.uri", "{regex: '(?=a)'}", "spec.http[0].match[0].uri", ISTIOD),
    ("virtual-service", "spec.http.0.match.0.uri", "{exact: /a, prefix: /b}", "spec.http[0].match[0].uri", API),
    (
        "virtual-service",
        "spec.http.0.match.0.headers",
        "{'@request.auth.claims.a': {exact: b}}",
        "spec.http[0].match[0].headers[@request.auth.claims.a]",
        ISTIOD,
    ),
    ("virtual-service", "spec.http.0.timeout", "5", "spec.http[0].timeout", API),
    ("virtual-service", "spec.http.0.timeout", "soon", "spec.http[0].timeout", API),
    ("virtual-service", "spec.http.0.retries", "{attempts: 2, retryOn: sometimes}", "spec.http[0].retries.retryOn", ISTIOD),
    ("virtual-service", "spec.http.0.corsPolicy", "{allowMethods: [get]}", "spec.http[0].corsPolicy.allowMethods[0]", ISTIOD),
    ("virtual-service", "spec.gateways", "[a/b/c]", "spec.gateways[0]", ISTIOD),
    ("destination-rule", "spec.host", "-", "spec", API),
    ("destination-rule", "spec.subsets.1.name", "v1", "spec.subsets[1].name", ISTIOD),
    ("destination-rule", "spec.trafficPolicy", "{}", "spec.trafficPolicy", ISTIOD),
    ("destination-rule", "spec.trafficPolicy.tls", "{mode: MUTUAL}", "spec.trafficPolicy.tls.clientCertificate", ISTIOD),
    ("destination-rule", "spec.exportTo", "['*', a]", "spec.exportTo", ISTIOD),
    ("gateway", "spec.servers.0.port.protocol", "HTPP", "spec.servers[0].port.protocol", ISTIOD),
    ("gateway", "spec.servers.1.tls", "-", "spec.servers[1].tls", ISTIOD),
    ("gateway", "spec.servers.0.hosts", "[short]", "spec.servers[0].hosts[0]", ISTIOD),
    ("gateway", "spec.servers.1.port.name", "http", "spec.servers[1].port.name", ISTIOD),
    ("sidecar", "spec.egress.0.hosts", "[example.com]", "spec.egress[0].hosts[0]", ISTIOD),
    ("sidecar", "spec", "{}", "spec", ISTIOD),
    ("service-entry", "spec.hosts", "['*']", "spec.hosts[0]", API),
    ("service-entry", "spec.addresses", "[10.0.0.0/8]", "spec.addresses[0]", API),
    ("service-entry", "spec.ports.1.number", "443", "spec.ports[1].number", API),
    ("service-entry", "spec.ports.1.protocol", "HTPP", "spec.ports[1].protocol", ISTIOD),
    ("ingress", "spec.rules.0.http.paths.0.pathType", "-", "spec.rules[0].http.paths[0].pathType", API),
    ("ingress", "spec.rules.0.http.paths.0.path", "a", "spec.rules[0].http.paths[0].path", API),
    ("ingress", "spec.rules.0.host", "1.2.3.4", "spec.rules[0].host", API),
    ("http-route", "spec.rules.0.matches.0.path.value", "a", "spec.rules[0].matches[0].path.value", API),
    ("http-route", "spec.rules.0.matches.0.method", "get", "spec.rules[0].matches[0].method", API),
    ("http-route", "spec.rules.0.backendRefs.0.port", "-", "spec.rules[0].backendRefs[0].port", API),
    ("http-route", "spec.rules.0.filters", "[{type: CORS}]", "spec.rules[0].filters[0].cors", API),
    ("http-route", "spec.parentRefs", "[{name: a}, {name: a}]", "spec.parentRefs[1]", API),
    ("http-route", "spec.rules.0.timeouts", "{request: 1s, backendRequest: 2s}", "spec.rules[0].timeouts.backendRequest", API),
    ("k8s-gateway", "spec.listeners.0.tls", "{mode: Passthrough}", "spec.listeners[0].tls", API),
    ("k8s-gateway", "spec.listeners.0.port", "0", "spec.listeners[0].port", API),
    ("role", "rules.0.apiGroups", "-", "rules[0].apiGroups", API),
    ("role", "rules.0.nonResourceURLs", "[/a]", "rules[0].nonResourceURLs", API),
]


def _changed(base: dict[str, Any], field: str, new: str) -> dict[str, Any]:
    value = copy.deepcopy(base)
    here: Any = value
    *steps, last = [int(step) if step.isdecimal() else step for step in field.split(".")]
    for step in steps:
        here = here.setdefault(step, {}) if isinstance(here, dict) else here[step]
    if new == "-":
        del here[last]
    else:
        here[last] = yaml.safe_load(new)
    return value


@pytest.mark.parametrize("base", sorted(BASES))
def test_the_bases_are_accepted_whole(base: str) -> None:
    """Nothing is refused, dropped or noted about them."""
    assert problems(BASES[base]) == []


@pytest.mark.parametrize(("base", "field", "new", "blamed", "by"), ROWS)
def test_one_change_is_blamed_at_its_field(base: str, field: str, new: str, blamed: str, by: str | None) -> None:
    """The change is refused by whom it should be, at the field that is at fault."""
    found = problems(_changed(BASES[base], field, new))
    if not blamed:
        assert found == []
        return
    assert (blamed, by) in [(dotted(p.path), p.refused_by) for p in found]
    assert all(p.message and p.message[-1] != "." for p in found)


def test_unknown_kinds_are_nobodys_business() -> None:
    """Other people's kinds have no problems, whatever they hold."""
    assert problems({"apiVersion": "serving.knative.dev/v1", "kind": "Service", "spec": 5}) == []


def test_what_is_no_object_is_refused() -> None:
    """`apiVersion` and `kind` must be text."""
    assert [p.refused_by for p in problems({"apiVersion": 1, "kind": None})] == [API]


def test_unknown_fields_do_not_hide_refusals() -> None:
    """A peer that is empty without its unknown field is refused as well."""
    found = problems(_changed(BASES["network-policy"], "spec.ingress.0.from", "[{podSelektor: {}}]"))
    assert [p.refused_by for p in found] == [API, None]
    assert "did you mean `podSelector`?" in found[1].message
