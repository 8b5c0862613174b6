"""A second evaluator of AuthorizationPolicy at a sidecar: slow, obvious, and knowing nothing of meshcheck's own.

Written from a description of what Istio compiles policies to, with plain dicts in and regular expressions inside: every
test of a rule becomes the expression that Envoy would get, and is searched anew for every call. It knows no indexes, no
reasons and no unknown facts. `verdict` is what to call.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = Mapping[str, Any]

# Conditions that need an HTTP request; a TCP chain cannot test them.
HTTP_FIELDS = ("requestPrincipals", "hosts", "methods", "paths")
HTTP_KEYS = ("request.headers[", "request.auth.")


@dataclass(frozen=True)
class Mesh:
    """The mesh settings that a policy's meaning depends on."""

    root_namespace: str = "istio-system"
    trust_domain: str = "cluster.local"
    aliases: tuple[str, ...] = ()
    normalization: str = "BASE"

    @property
    def trust_domains(self) -> tuple[str, ...]:
        """All names of the mesh's own trust domain."""
        return (self.trust_domain, *self.aliases)


@dataclass(frozen=True)
class Call:
    """A call as it arrives at the workload's proxy; `http` is false on a port that speaks plain TCP."""

    namespace: str  # of the workload
    labels: Mapping[str, str]
    port: int
    local_ip: str = "10.0.0.1"
    peer_ip: str = "127.0.0.1"
    identity: str | None = None  # spiffe://…, None for plaintext
    sni: str = ""
    http: bool = True
    method: str = "GET"
    path: str = "/"
    authority: str = ""
    headers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    claims: Json | None = None  # of a token that was verified here

    @property
    def remote_ip(self) -> str:
        """The last entry of X-Forwarded-For; without one, and on TCP, the peer."""
        lines = self.header("x-forwarded-for") if self.http else []
        return lines[-1].split(",")[-1].strip() if lines else self.peer_ip

    def header(self, name: str) -> list[str]:
        """The lines of a header."""
        pseudo = {":method": self.method, ":path": self.path, ":authority": self.authority}
        if name in pseudo:
            return [pseudo[name]]
        return [line for key, lines in self.headers.items() if key.lower() == name.lower() for line in lines]


def verdict(policies: Sequence[Json], mesh: Mesh, call: Call) -> tuple[str, str | None]:
    """`("allowed", None)`, or `denied` with the name of the deciding rule as Envoy logs it."""
    attached = [p for p in policies if _attaches(p, mesh, call) and not _dry_run(p)]
    custom = [p for p in attached if _action(p) == "CUSTOM"]  # no provider is configured here: all of them deny
    for deciding, name in ((custom, _bad_custom_name), ([p for p in attached if _action(p) == "DENY"], _name)):
        hits = [name(p, i) for p in deciding for i, rule in enumerate(_rules(p)) if _rule_matches(rule, p, mesh, call)]
        if hits:
            return "denied", min(hits)
    allow = [p for p in attached if _action(p) == "ALLOW"]
    if allow and not any(_rule_matches(rule, p, mesh, call) for p in allow for rule in _rules(p)):
        return "denied", "none"
    return "allowed", None


def _action(policy: Json) -> str:
    return str((policy.get("spec") or {}).get("action", "ALLOW"))


def _rules(policy: Json) -> list[Json]:
    return (policy.get("spec") or {}).get("rules") or []


def _name(policy: Json, rule: int) -> str:
    return f"ns[{policy['metadata']['namespace']}]-policy[{policy['metadata']['name']}]-rule[{rule}]"


def _bad_custom_name(policy: Json, rule: int) -> str:
    return f"istio-ext-authz-{policy['spec']['provider']['name']}-{_name(policy, rule)}-deny-due-to-bad-CUSTOM-action"


def _dry_run(policy: Json) -> bool:
    return (policy["metadata"].get("annotations") or {}).get("istio.io/dry-run") in ("true", "True", "TRUE", "t", "T", "1")


def _attaches(policy: Json, mesh: Mesh, call: Call) -> bool:
    spec = policy.get("spec") or {}
    if policy["metadata"]["namespace"] not in (call.namespace, mesh.root_namespace):
        return False
    if "targetRef" in spec or "targetRefs" in spec:
        return False  # these are for gateways and waypoints
    labels = (spec.get("selector") or {}).get("matchLabels") or {}
    return all(call.labels.get(k) == v for k, v in labels.items())


# ---- rules ------------------------------------------------------------------------------------------------------------


def _rule_matches(rule: Json, policy: Json, mesh: Mesh, call: Call) -> bool:
    if not call.http and _action(policy) == "ALLOW" and _needs_http(rule):
        return False  # a TCP chain drops such a rule of an ALLOW policy whole
    froms, tos, whens = rule.get("from") or [], rule.get("to") or [], rule.get("when") or []
    return (
        (not froms or any(_fields_match(f["source"], policy, mesh, call) for f in froms))
        and (not tos or any(_fields_match(t["operation"], policy, mesh, call) for t in tos))
        and all(_when_matches(w, policy, mesh, call) for w in whens)
    )


def _needs_http(rule: Json) -> bool:
    fields = [name for f in rule.get("from") or [] for name in f["source"]] + [
        name for t in rule.get("to") or [] for name in t["operation"]
    ]
    return any(_positive(f) in HTTP_FIELDS for f in fields) or any(w["key"].startswith(HTTP_KEYS) for w in rule.get("when") or [])


def _positive(field_name: str) -> str:
    return field_name[3].lower() + field_name[4:] if field_name.startswith("not") else field_name


def _fields_match(fields: Json, policy: Json, mesh: Mesh, call: Call) -> bool:
    """All fields of one source or operation; what a TCP chain cannot test is not a condition there."""
    for name, values in fields.items():
        if not call.http and _positive(name) in HTTP_FIELDS:
            continue
        if any(TESTS[_positive(name)](v, policy, mesh, call) for v in values) == name.startswith("not"):
            return False
    return True


WHEN_TWINS = {
    "source.ip": "ipBlocks",
    "remote.ip": "remoteIpBlocks",
    "source.namespace": "namespaces",
    "source.principal": "principals",
    "source.serviceAccount": "serviceAccounts",
    "source.trustDomain": "trustDomains",
    "request.auth.principal": "requestPrincipals",
    "destination.port": "ports",
}


def _when_matches(when: Json, policy: Json, mesh: Mesh, call: Call) -> bool:
    key = when["key"]
    if not call.http and key.startswith(HTTP_KEYS):
        return True
    test = TESTS[WHEN_TWINS[key]] if key in WHEN_TWINS else _test_of(key)
    if "values" in when and not any(test(v, policy, mesh, call) for v in when["values"]):
        return False
    return not any(test(v, policy, mesh, call) for v in when.get("notValues") or [])


Test = Callable[[str, Json, Mesh, Call], bool]


def _test_of(key: str) -> Test:
    """The test of a `when` key that is no twin of a field."""
    if key == "destination.ip":
        return lambda value, policy, mesh, call: _in_block(call.local_ip, value)
    if key == "connection.sni":
        return lambda value, policy, mesh, call: _full(_text(value), call.sni)
    if key == "request.auth.audiences":
        return lambda value, policy, mesh, call: _claim(call, ["aud"], value)
    if key == "request.auth.presenter":
        return lambda value, policy, mesh, call: _claim(call, ["azp"], value)
    if key.startswith("request.auth.claims"):
        return lambda value, policy, mesh, call: _claim(call, _brackets(key), value)
    if key.startswith("request.headers["):
        name = key[len("request.headers[") : -1]
        return lambda value, policy, mesh, call: any(_full(_text(value, star=".*"), line) for line in call.header(name))
    raise AssertionError(f"no test for {key}")


# ---- tests of single values -------------------------------------------------------------------------------------------


def _full(expression: str, text: str) -> bool:
    return re.fullmatch(expression, text, re.DOTALL) is not None


def _text(value: str, star: str = ".+") -> str:
    """The expression of a value in which a star may stand at one end."""
    if value == "*":
        return star
    if value.startswith("*"):
        return ".*" + re.escape(value[1:])
    if value.endswith("*"):
        return re.escape(value[:-1]) + ".*"
    return re.escape(value)


def _principal(value: str, policy: Json, mesh: Mesh, call: Call) -> bool:
    if call.identity is None:
        return False
    for one in _in_all_trust_domains(value, mesh):
        if one == "*":
            expression = ".+"
        elif one.startswith("*"):
            expression = "spiffe://.*" + re.escape(one[1:])
        else:
            expression = "spiffe://" + _text(one)
        if _full(expression, call.identity):
            return True
    return False


def _in_all_trust_domains(value: str, mesh: Mesh) -> list[str]:
    """A principal of five parts that speaks of the mesh's own trust domain means it under each of its names."""
    first, *rest = value.split("/")
    if len(rest) != 4 or first == "*":
        return [value]

    def covers(domain: str) -> bool:
        return first == domain or ("*" in (first[:1], first[-1:]) and _full(_text(first), domain))

    if first != "cluster.local" and not any(covers(d) for d in mesh.trust_domains):
        return [value]
    return [value if covers(d) else "/".join([d, *rest]) for d in mesh.trust_domains]


def _namespace(value: str, policy: Json, mesh: Mesh, call: Call) -> bool:
    return call.identity is not None and _full(".*/ns/" + ".*".join(map(re.escape, value.split("*"))) + "/.*", call.identity)


def _service_account(value: str, policy: Json, mesh: Mesh, call: Call) -> bool:
    namespace, _, name = value.rpartition("/")
    namespace = namespace or policy["metadata"]["namespace"]
    expression = f"spiffe://.+/ns/{re.escape(namespace)}/(.+/|)sa/{re.escape(name)}(/.+)?"
    return call.identity is not None and _full(expression, call.identity)


def _trust_domain(value: str, policy: Json, mesh: Mesh, call: Call) -> bool:
    if call.identity is None:
        return False
    if value == "*":
        return _full("spiffe://.*", call.identity)
    known = {*mesh.trust_domains, "cluster.local"}
    domains = {value, *mesh.trust_domains} if value in known else {value}
    return any(_full("spiffe://" + "[^/]*".join(map(re.escape, d.split("*"))) + "/.*", call.identity) for d in domains)


def _in_block(address: str, block: str) -> bool:
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(block, strict=False)
    except ValueError:
        return False


def _host(value: str, policy: Json, mesh: Mesh, call: Call) -> bool:
    return _full("(?i:" + _text(value, star=".*") + ")", call.authority)


def _path(value: str, policy: Json, mesh: Mesh, call: Call) -> bool:
    path = re.split("[?#]", normalized(call.path, mesh.normalization))[0]
    return _full(_template(value) if "{*}" in value or "{**}" in value else _text(value), path)


def _template(value: str) -> str:
    """`{*}` is one segment, `{**}` any number of them, of the characters that a path may hold as they are."""
    segment = r"[a-zA-Z0-9\-._~%!$&'()*+,;:=@]"
    expressions = {"{*}": segment + "+", "{**}": segment[:-1] + "/]*"}
    return "".join(expressions.get(part, re.escape(part)) for part in re.split(r"(\{\*\*?\})", value))


def _request_principal(value: str, policy: Json, mesh: Mesh, call: Call) -> bool:
    issuer, subject = (call.claims or {}).get("iss"), (call.claims or {}).get("sub")
    if not isinstance(issuer, str) or not isinstance(subject, str):
        return False
    wanted_issuer, wanted_subject = _request_principal_expressions(value)
    return _full(wanted_issuer, issuer) and _full(wanted_subject, subject)


def _request_principal_expressions(value: str) -> tuple[str, str]:
    if value == "*":
        return ".+", ".+"
    if value.startswith("*"):
        issuer, slash, subject = value[1:].rpartition("/")
        return (".+" if not issuer else ".*" + re.escape(issuer), re.escape(subject)) if slash else (".+", ".*" + re.escape(subject))
    if value.endswith("*"):
        issuer, slash, subject = value[:-1].rpartition("/")
        if not slash:
            return re.escape(subject) + ".*", ".+"
        return re.escape(issuer), re.escape(subject) + ".*" if subject else ".+"
    issuer, slash, subject = value.rpartition("/")
    return (re.escape(issuer), re.escape(subject)) if slash else (re.escape(subject), "")


def _claim(call: Call, keys: list[str], value: str) -> bool:
    found: Any = call.claims
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    if keys in (["scope"], ["permission"]) and isinstance(found, str):
        found = found.split(" ")
    items = found if isinstance(found, list) else [found]
    return any(isinstance(item, str) and _full(_text(value), item) for item in items)


def _brackets(key: str) -> list[str]:
    inner = key[key.index("[") :]
    nested = re.fullmatch(r"(\[[^\[\]]+\])+", inner)
    return re.findall(r"\[([^\[\]]+)\]", inner) if nested else [inner[1:-1]]


TESTS: dict[str, Test] = {
    "principals": _principal,
    "namespaces": _namespace,
    "serviceAccounts": _service_account,
    "trustDomains": _trust_domain,
    "requestPrincipals": _request_principal,
    "ipBlocks": lambda value, policy, mesh, call: _in_block(call.peer_ip, value),
    "remoteIpBlocks": lambda value, policy, mesh, call: _in_block(call.remote_ip, value),
    "hosts": _host,
    "methods": lambda value, policy, mesh, call: _full(_text(value, star=".*"), call.method),
    "paths": _path,
    "ports": lambda value, policy, mesh, call: int(value) == call.port,
}


def normalized(path: str, level: str) -> str:
    """The path as rules see it, by `meshConfig.pathNormalization`."""
    if level == "NONE":
        return path
    path, mark, query = path.partition("?")
    if level == "DECODE_AND_MERGE_SLASHES":
        path = re.sub("(?i)%2f|%5c", "/", path)
    path = path.replace("\\", "/")
    path = re.sub("%[0-9a-fA-F]{2}", lambda m: c if re.fullmatch(r"[a-zA-Z0-9\-._~]", c := chr(int(m[0][1:], 16))) else m[0], path)
    if level in ("MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"):
        path = re.sub("/+", "/", path)
    kept: list[str] = []
    segments = path.split("/")[1:]
    for n, segment in enumerate(segments):
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
        if n == len(segments) - 1 and segment in (".", ".."):
            kept.append("")
    return "/" + "/".join(kept) + mark + query
