"""Random IngressRoutes, Middlewares and Ingresses, and requests that hit their corners."""

# ruff: noqa: E501  tables of settings and requests
from __future__ import annotations

import base64
import random
from typing import Any

from tests.differential.edge.calls import Call
from tests.differential.edge.shop import NAMESPACE, SERVICES, secret

Json = dict[str, Any]
HOSTS = ["a.example", "b.example", "c.example", "*.w.example", "x.w.example"]
PATHS = ["/", "/foo", "/foo/", "/foo/bar", "/Foo", "/api", "/api/v1", "/x", "/a.b"]
ASKED = [
    *PATHS, *PATHS[:8], "/foobar", "/foo/BAR", "/foo/bar/baz", "//foo", "/foo//bar", "/foo/../api", "/%66oo", "/foo%2Fbar", "/foo/.", "/axb", "/nothing", "/api/",
    "/api/v1/items?x=1", "/foo?x=/bar", "/?q=1", "/x/", "/..", "/foo;a=b", "/foo/%2e%2e/api", "/a%2eb", "/v1/x", "/x?q=1&q=2", "/%zz", "/foo%00", "/foo%3Fx",
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
ORIGINS = ["https://ui.example", "http://ui.example", "https://evil.example", "null"]
_SHA = "{SHA}" + base64.b64encode(bytes.fromhex("a94a8fe5ccb19ba61c4c0873d391e987982fbbd3")).decode()  # of `test`
KINDS = ["lists", "auth", "scheme", "cors", "chain", "strip", "missing", "regex"]


class Writer:
    """Writes one world."""

    def __init__(self, draw: random.Random, certificate: tuple[str, str]) -> None:
        self.draw, self.certificate = draw, certificate

    def pick(self, *options: Any) -> Any:
        return self.draw.choice(options)

    def chance(self, share: float) -> bool:
        return self.draw.random() < share

    def atom(self) -> str:
        pick = self.draw.random()
        if pick < 0.4:
            return f"Host(`{self.draw.choice(HOSTS)}`)"
        if pick < 0.6:
            return f"PathPrefix(`{self.draw.choice(PATHS)}`)"
        if pick < 0.7:
            return f"Path(`{self.draw.choice(PATHS)}`)"
        return self.pick(
            "Method(`GET`)",
            "Method(`post`)",
            "Header(`X-Team`, `a`)",
            "HeaderRegexp(`X-Team`, `^a`)",
            "Query(`q`, `1`)",
            "QueryRegexp(`q`, `[12]`)",
            "PathRegexp(`^/v[0-9]/`)",
            "PathRegexp(`oo`)",
            "HostRegexp(`^.+\\.example$`)",
            "ClientIP(`10.0.0.0/8`)",
            "Path(`foo`)",
            "Nope(`x`)",
        )

    def rule(self) -> str:
        host = f"Host(`{self.draw.choice(HOSTS)}`)"
        shape = self.draw.random()
        if shape < 0.25:
            return host
        if shape < 0.65:
            return f"{host} && {self.atom()}"
        if shape < 0.75:
            return f"{host} && ({self.atom()} || {self.atom()})"
        if shape < 0.83:
            return f"{host} && !{self.atom()}"
        if shape < 0.9:
            return f"({host} || {self.atom()}) && {self.atom()}"
        return self.pick(
            self.atom(), f"{host} || {self.atom()}", f"{self.atom()} && {self.atom()}", f'Host("{self.draw.choice(HOSTS)}")', f"{host} &&"
        )

    def middleware(self, kind: str, name: str) -> Json:
        blocks = ["10.0.0.0/8", "203.0.113.0/24", "203.0.113.9", "10.9.0.0/16", "0.0.0.0/0"]
        spec: Json = {}
        if kind == "lists":
            spec = {
                "ipAllowList": {
                    "sourceRange": [
                        self.draw.choice(blocks if not self.chance(0.1) else ["10.0.0.0/33", "a.example"]) for _ in range(self.pick(1, 2))
                    ]
                }
            }
            if self.chance(0.3):
                spec["ipAllowList"]["ipStrategy"] = self.pick({"depth": 1}, {"depth": 2}, {"excludedIPs": ["10.9.0.0/16"]})
            if self.chance(0.15):
                spec["ipAllowList"]["rejectStatusCode"] = self.pick(404, 418)
        elif kind == "auth":
            spec = {"basicAuth": {"secret": self.pick("users", "users", "users", "missing", "wrong")}}
        elif kind == "scheme":
            spec = {
                "redirectScheme": self.pick(
                    {"scheme": "https"}, {"scheme": "https", "permanent": True}, {"scheme": "https", "port": "8443"}, {"scheme": "http"}
                )
            }
        elif kind == "regex":
            spec = {
                "redirectRegex": self.pick(
                    {"regex": "^http://a[.]example/(.*)", "replacement": "https://e.example/$1"},
                    {"regex": "/foo", "replacement": "/new", "permanent": True},
                    {"regex": "(", "replacement": "x"},
                )
            }
        elif kind == "cors":
            spec = {
                "headers": {
                    "accessControlAllowOriginList": [self.pick("https://ui.example", "*", "http://ui.example")],
                    "accessControlAllowMethods": ["GET", "PUT"],
                    **self.pick({}, {"accessControlAllowCredentials": True}, {"accessControlAllowHeaders": ["x-a"]}),
                }
            }
        elif kind == "chain":
            spec = {
                "chain": {"middlewares": [{"name": self.pick("lists", "auth", "cors", "nobody")}, {"name": self.pick("lists", "strip")}]}
            }
        elif kind == "strip":
            spec = self.pick(
                {"stripPrefix": {"prefixes": ["/foo", "/api"]}},
                {"addPrefix": {"prefix": "/p"}},
                {"replacePath": {"path": "/r"}},
                {"compress": {}},
                {"rateLimit": {"average": 1000, "burst": 1000}},
                {"buffering": {"maxRequestBodyBytes": 2}},
                {"inFlightReq": {"amount": 100}},
            )
        return {"apiVersion": "traefik.io/v1alpha1", "kind": "Middleware", "metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec}

    def services(self) -> list[Json]:
        name = self.draw.choices(["web", "api", "admin", "empty", "missing"], [6, 5, 3, 1, 1])[0]
        return [{"name": name, "port": SERVICES.get(name, 80) if not self.chance(0.06) else self.pick(81, "http", "nope")}]

    def route(self) -> Json:
        out: Json = {"match": self.rule(), "kind": "Rule", "services": self.services()}
        if self.chance(0.45):
            out["middlewares"] = [{"name": self.draw.choice(KINDS)} for _ in range(self.pick(1, 1, 2))]
        if self.chance(0.12):
            out["priority"] = self.pick(1, 100, 1000)
        if self.chance(0.05):
            del out["kind"]
        return out

    def ingress_route(self, name: str) -> Json:
        spec: Json = {"routes": [self.route() for _ in range(self.pick(1, 2, 3))]}
        if self.chance(0.3):
            spec["entryPoints"] = self.pick(["web"], ["web"], ["websecure"], ["web", "websecure"], ["other"])
        if self.chance(0.25):
            spec["tls"] = self.pick({}, {"secretName": "crt"}, {"secretName": "missing"})
        if self.chance(0.06):
            spec["ingressClassName"] = "other"
        return {
            "apiVersion": "traefik.io/v1alpha1",
            "kind": "IngressRoute",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": spec,
        }

    def ingress(self, name: str) -> Json:
        rules = []
        for host in self.draw.sample([*HOSTS, ""], k=self.pick(1, 1, 2)):
            paths = []
            for _ in range(self.pick(1, 2, 3)):
                lead = self.services()[0]
                port = {"name": lead["port"]} if isinstance(lead["port"], str) else {"number": lead["port"]}
                paths.append(
                    {
                        "path": self.draw.choice(PATHS),
                        "pathType": self.pick("Prefix", "Prefix", "Exact", "ImplementationSpecific"),
                        "backend": {"service": {"name": lead["name"], "port": port}},
                    }
                )
            rules.append({**({"host": host} if host else {}), "http": {"paths": paths}})
        notes: dict[str, str] = {}
        if self.chance(0.35):
            notes["traefik.ingress.kubernetes.io/router.middlewares"] = ",".join(
                f"shop-{self.draw.choice(KINDS)}@kubernetescrd" for _ in range(self.pick(1, 2))
            )
        if self.chance(0.15):
            notes["traefik.ingress.kubernetes.io/router.entrypoints"] = self.pick("web", "websecure", "web,websecure")
        if self.chance(0.12):
            notes["traefik.ingress.kubernetes.io/router.tls"] = self.pick("true", "false")
        if self.chance(0.08):
            notes["traefik.ingress.kubernetes.io/router.priority"] = self.pick("1", "100")
        if self.chance(0.06):
            notes["traefik.ingress.kubernetes.io/router.pathmatcher"] = self.pick("Path", "PathRegexp", "Nope")
        spec: Json = {"rules": rules, "ingressClassName": "traefik"}
        if self.chance(0.1):
            del spec["ingressClassName"]
        if self.chance(0.15):
            spec["tls"] = [{"secretName": self.pick("crt", "missing")}]
        if self.chance(0.08):
            spec = {"ingressClassName": "traefik", "defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}}
        return {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": {"name": name, "namespace": NAMESPACE, "annotations": notes},
            "spec": spec,
        }

    def objects(self) -> list[Json]:
        certificate, key = self.certificate
        out = [
            secret("crt", {"tls.crt": certificate, "tls.key": key}, "kubernetes.io/tls"),
            secret("users", {"users": f"eve:{_SHA}\n"}),
            secret("wrong", {"a": "x", "b": "y"}),
        ]
        out += [self.middleware(kind, kind) for kind in KINDS if kind != "missing" and self.chance(0.93)]
        out += [self.ingress_route(f"r{n}") for n in range(self.pick(0, 1, 2, 2))]
        out += [self.ingress(f"i{n}") for n in range(self.pick(0, 1, 1, 2))]
        return out

    def calls(self, count: int, hosts: list[str]) -> list[Call]:
        """Requests; most of them to `hosts`."""
        out = []
        for _ in range(count):
            host = self.draw.choice(hosts) if hosts and self.chance(0.5) else self.draw.choice(ASKED_HOSTS)
            headers: dict[str, str] = {}
            method = self.pick("GET", "GET", "GET", "GET", "HEAD", "POST", "PUT", "OPTIONS", "DELETE")
            if self.chance(0.25):
                headers["x-team"] = self.pick("a", "b", "A", "abc")
            if self.chance(0.25):
                headers["authorization"] = "Basic " + base64.b64encode(self.pick(b"eve:test", b"eve:wrong", b"bob:x")).decode()
            if self.chance(0.2):
                headers["origin"] = self.draw.choice(ORIGINS)
                if method == "OPTIONS" and self.chance(0.8):
                    headers["access-control-request-method"] = "PUT"
            if self.chance(0.15):
                headers["x-forwarded-for"] = self.pick("10.1.1.1", "203.0.113.9, 10.9.1.1", "junk")
            body = b"xyz" if method in ("POST", "PUT") else None
            out.append(Call(host, self.draw.choice(ASKED), method, self.chance(0.25), self.draw.choice(SOURCES), headers, body))
        return out
