"""Random HTTPProxies, and requests that hit their corners."""

# ruff: noqa: E501  tables of settings and requests
from __future__ import annotations

import random
from typing import Any

from tests.differential.edge.calls import Call
from tests.differential.edge.shop import NAMESPACE, OTHER, SERVICES, secret

Json = dict[str, Any]
HOSTS = ["a.example", "b.example", "c.example", "*.w.example", "x.w.example"]
PATHS = ["/", "/foo", "/foo/", "/foo/bar", "/Foo", "/api", "/api/v1", "/x", "/a.b"]
ASKED = [
    *PATHS, *PATHS[:8], "/foobar", "/foo/BAR", "/foo/bar/baz", "//foo", "/foo//bar", "/foo/../api", "/%66oo", "/foo%2Fbar", "/foo/.", "/axb", "/nothing", "/api/",
    "/api/v1/items?x=1", "/foo?x=/bar", "/?q=1", "/x/", "/..", "/foo;a=b", "/foo/%2e%2e/api", "/a%2eb", "/child", "/child/x", "/child/foo/y", "/v1/x", "/v12/x", "/re/abc", "/x?q=1&q=2", "/foo\\bar",
]  # fmt: skip
ASKED_HOSTS = [
    "a.example",
    "a.example",
    "b.example",
    "c.example",
    "x.w.example",
    "y.w.example",
    "z.y.w.example",
    "w.example",
    "A.Example",
    "a.example:80",
    "a.example:8080",
    "a.example.",
    "nobody.example",
    "10.0.0.1",
]
SOURCES = ["203.0.113.9", "203.0.113.9", "10.1.1.1", "10.9.1.1", "192.168.3.4"]
ORIGINS = ["https://ui.example", "http://ui.example", "https://a.b.example", "https://evil.example", "null"]


class Writer:
    """Writes one world."""

    def __init__(self, draw: random.Random, certificate: tuple[str, str]) -> None:
        self.draw, self.certificate = draw, certificate

    def pick(self, *options: Any) -> Any:
        return self.draw.choice(options)

    def chance(self, share: float) -> bool:
        return self.draw.random() < share

    def conditions(self, include: bool) -> list[Json]:
        out: list[Json] = []
        pick = self.draw.random()
        if pick < 0.72:
            out.append({"prefix": self.draw.choice(["/child", "/foo", "/api", "/", "/child/"] if include else PATHS)})
        elif pick < 0.84 and (not include or self.chance(0.1)):
            out.append({"exact": self.draw.choice(PATHS)})
        elif pick < 0.92 and (not include or self.chance(0.1)):
            out.append({"regex": self.pick("/v[0-9]/x", "/re/.*", "/f.o", "/(foo|x)", "/foo/[^/]+", "/re(")})
        if self.chance(0.15):
            out.append(
                {
                    "header": {
                        "name": "X-Team",
                        **self.pick(
                            {"exact": "a"},
                            {"contains": "b"},
                            {"present": True},
                            {"notpresent": True},
                            {"notexact": "a"},
                            {"notcontains": "b"},
                            {"regex": "a.*"},
                            {"exact": "A", "ignoreCase": True},
                            {"notexact": "a", "treatMissingAsEmpty": True},
                        ),
                    }
                }
            )
        if self.chance(0.06):
            out.append({"header": {"name": ":method", "exact": self.pick("GET", "POST")}})
        if self.chance(0.08):
            out.append(
                {"queryParameter": {"name": "q", **self.pick({"exact": "1"}, {"present": True}, {"prefix": "1"}, {"contains": "2"})}}
            )
        if self.chance(0.03):
            out.append({"prefix": "/more"})
        return out

    def addresses(self, bad: float = 0.08) -> Json:
        key = self.pick("ipAllowPolicy", "ipAllowPolicy", "ipDenyPolicy")
        blocks = ["10.0.0.0/8", "203.0.113.0/24", "203.0.113.9", "10.9.0.0/16", "0.0.0.0/0"]
        entries = [
            {
                "cidr": self.draw.choice(blocks if not self.chance(bad) else ["10.0.0.0/33", "a.example"]),
                "source": self.pick("Peer", "Peer", "Remote"),
            }
            for _ in range(self.pick(1, 1, 2))
        ]
        out = {key: entries}
        if self.chance(0.06):
            out = {"ipAllowPolicy": entries, "ipDenyPolicy": entries}
        return out

    def services(self) -> list[Json]:
        name = self.draw.choices(["web", "api", "admin", "empty", "missing"], [5, 5, 3, 1, 1])[0]
        return [{"name": name, "port": SERVICES.get(name, 80) if not self.chance(0.06) else 81}]

    def route(self) -> Json:
        out: Json = {"conditions": self.conditions(False)}
        if not out["conditions"]:
            del out["conditions"]
        pick = self.draw.random()
        if pick < 0.8:
            out["services"] = self.services()
        elif pick < 0.88:
            out["requestRedirectPolicy"] = self.pick(
                {"hostname": "e.example"},
                {"scheme": "https"},
                {"path": "/new"},
                {"statusCode": 301, "hostname": "e.example"},
                {"prefix": "/p"},
                {"port": 8443, "scheme": "https"},
            )
        elif pick < 0.97:
            out["directResponsePolicy"] = {"statusCode": self.pick(200, 403, 418, 503), "body": "x"}
        if pick > 0.98:
            out["services"], out["directResponsePolicy"] = self.services(), {"statusCode": 200}
        if self.chance(0.2):
            out.update(self.addresses())
        if self.chance(0.15):
            out["permitInsecure"] = True
        if self.chance(0.08) and "services" in out:
            out["pathRewritePolicy"] = {"replacePrefix": [{"replacement": self.pick("/", "/new", "/new/")}]}
        if self.chance(0.04):
            out["jwtVerificationPolicy"] = self.pick({"require": "p"}, {"disabled": True})
        if self.chance(0.04):
            out["authPolicy"] = {"disabled": True}
        return out

    def proxy(self, name: str, space: str, host: str | None, children: list[tuple[str, str]]) -> Json:
        spec: Json = {}
        if host is not None:
            vhost: Json = {"fqdn": host}
            if self.chance(0.25):
                vhost["tls"] = self.pick(
                    {"secretName": "crt"},
                    {"secretName": "crt"},
                    {"secretName": "crt"},
                    {"secretName": "missing"},
                    {"secretName": "creds"},
                    {"passthrough": True},
                    {},
                    {"secretName": "crt", "clientValidation": {"caSecret": "ca"}},
                    {"secretName": "crt", "clientValidation": {"caSecret": "ca", "optionalClientCertificate": True}},
                )
            if self.chance(0.2):
                vhost.update(self.addresses())
            if self.chance(0.2):
                vhost["corsPolicy"] = {
                    "allowOrigin": [self.pick("*", "https://ui.example", "https://.*[.]example", "http://ui.example")],
                    "allowMethods": ["GET", "POST"],
                    **self.pick({}, {"allowCredentials": True}, {"allowHeaders": ["x-a"], "maxAge": self.pick("10m", "x")}),
                }
            if self.chance(0.04):
                vhost["jwtProviders"] = [{"name": "p", "issuer": "i", "remoteJWKS": {"uri": "http://jwks.example/x"}}]
            spec["virtualhost"] = vhost
        if children and self.chance(0.8):
            spec["includes"] = []
            for child_space, child in self.draw.sample(children, k=self.pick(1, 1, min(2, len(children)))):
                entry: Json = {"name": child if not self.chance(0.1) else "missing"}
                if child_space != space and self.chance(0.9):
                    entry["namespace"] = child_space
                if conditions := self.conditions(True):
                    entry["conditions"] = conditions
                spec["includes"].append(entry)
        if host is None or self.chance(0.9):
            spec["routes"] = [self.route() for _ in range(self.draw.choices([1, 2, 3, 4], [4, 4, 2, 1])[0])]
        if self.chance(0.05):
            spec["ingressClassName"] = self.pick("contour", "other")
        return {"apiVersion": "projectcontour.io/v1", "kind": "HTTPProxy", "metadata": {"name": name, "namespace": space}, "spec": spec}

    def objects(self) -> list[Json]:
        certificate, key = self.certificate
        out = [
            secret("crt", {"tls.crt": certificate, "tls.key": key}, "kubernetes.io/tls"),
            secret("ca", {"ca.crt": certificate}),
            secret("creds", {"auth": "x"}),
        ]
        children = [(self.pick(NAMESPACE, NAMESPACE, OTHER), f"child{n}") for n in range(self.pick(0, 1, 2))]
        hosts = self.draw.sample(HOSTS, k=self.pick(1, 2, 3))
        if self.chance(0.1):
            hosts.append(hosts[0])
        for n, (space, name) in enumerate(children):
            out.append(self.proxy(name, space, None, children[n + 1 :] if not self.chance(0.05) else children))
        for n, host in enumerate(hosts):
            out.append(self.proxy(f"root{n}", NAMESPACE if not self.chance(0.1) else OTHER, host, children))
        return out

    def calls(self, count: int, hosts: list[str]) -> list[Call]:
        """Requests; most of them to `hosts`."""
        out = []
        for _ in range(count):
            host = self.draw.choice(hosts) if hosts and self.chance(0.65) else self.draw.choice(ASKED_HOSTS)
            headers: dict[str, str] = {}
            method = self.pick("GET", "GET", "GET", "GET", "HEAD", "POST", "PUT", "OPTIONS", "DELETE")
            if self.chance(0.25):
                headers["x-team"] = self.pick("a", "b", "A", "abc", "")
            if self.chance(0.2):
                headers["origin"] = self.draw.choice(ORIGINS)
                if method == "OPTIONS" and self.chance(0.8):
                    headers["access-control-request-method"] = "PUT"
            if self.chance(0.12):
                headers["x-forwarded-for"] = self.pick("10.1.1.1", "203.0.113.9, 10.9.1.1", "junk")
            if self.chance(0.05):
                headers["x-forwarded-proto"] = self.pick("https", "http")
            body = b"xyz" if method in ("POST", "PUT") else None
            out.append(Call(host, self.draw.choice(ASKED), method, self.chance(0.25), self.draw.choice(SOURCES), headers, body))
        return out
