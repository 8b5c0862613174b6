"""Random Ingresses for ingress-nginx, its ConfigMap, and requests that hit their corners."""

# ruff: noqa: E501  tables
from __future__ import annotations

import base64
import random
from typing import Any

from tests.differential.edge.calls import Call
from tests.differential.edge.shop import NAMESPACE, SERVICES, secret

Json = dict[str, Any]
PREFIX = "nginx.ingress.kubernetes.io/"
HOSTS = ["a.example", "b.example", "*.w.example", "x.w.example", "c.example", "www.d.example", "d.example", ""]
PATHS = ["/", "/foo", "/foo/", "/foo/bar", "/Foo", "/api", "/api/v1", "/a.b", "/x", "/.well-known/acme-challenge", "/foo-bar", "/e%20e"]
PATTERNS = ["/re/(.*)", "/v[0-9]+/x", "/foo(/|$)(.*)", "/api/.+", "/(foo|bar)/x", "/x$", "/f.o", "/*", "/foo/?(.*)", "/~u"]
ASKED = [
    *PATHS, *PATHS[:8], "/foobar", "/FOO", "/foo/BAR", "/foo/bar/baz", "/foo/bar/", "//foo", "/foo//bar", "/foo/../api", "/%66oo", "/foo%2Fbar", "/foo/.",
    "/foo/./bar", "/axb", "/re/a/b", "/re/", "/v1/x", "/V2/x/y", "/bar/x", "/healthz", "/nginx_status", "/nothing", "/api/", "/api/v1/items?x=1",
    "/foo?x=/bar", "/?q", "/x/", "/api/..", "/..", "/foo;a=b", "/foo/%2e%2e/api", "/e e", "/e%20e/x", "/a%2eb", "/foo%3Fx", "/foo%00", "/%zz", "/foo\\bar", "/re//a", "/foo/x//y",
]  # fmt: skip
ASKED_HOSTS = [
    "a.example", "a.example", "b.example", "b.example", "c.example", "d.example", "www.d.example", "x.w.example", "y.w.example", "w.example",
    "z.y.w.example", "A.Example", "a.example:80", "a.example:8080", "a.example.", "nobody.example", "alias.example", "x.alias.example", "10.0.0.1",
    "www.a.example", "a_b.w.example", "www.b.example", "x-.w.example",
]  # fmt: skip
SOURCES = ["203.0.113.9", "203.0.113.9", "10.1.1.1", "10.9.1.1", "192.168.3.4", "2001:db8::5"]
ORIGINS = [
    "https://ui.example",
    "http://ui.example",
    "https://a.b.example",
    "https://evil.example",
    "https://ui.example.evil",
    "null",
    "https://UI.example",
]
USERS = ["eve:test", "eve:wrong", "bob:secret", "nobody:x", "mallory"]
_SHA = "{SHA}" + base64.b64encode(bytes.fromhex("a94a8fe5ccb19ba61c4c0873d391e987982fbbd3")).decode()  # of `test`
SECRETS = {
    "creds": {"auth": f"eve:{_SHA}\n"},
    "map": {"eve": _SHA, "bob": "{PLAIN}secret"},
    "wrong": {"users": "eve:x"},
    "plain": {"auth": "bob:{PLAIN}secret\neve:{PLAIN}test"},
}


class Writer:
    """Writes one world."""

    def __init__(self, draw: random.Random, certificate: tuple[str, str]) -> None:
        self.draw, self.certificate = draw, certificate

    def pick(self, *options: Any) -> Any:
        return self.draw.choice(options)

    def config(self) -> dict[str, str]:
        """The ConfigMap's settings."""
        chosen = {
            "disable-access-log": "true",
            "error-log-path": "/tmp/nginx/error.log",
            "worker-processes": "1",
            "error-log-level": "warn",
        }
        if self.draw.random() < 0.4:
            return chosen
        some: dict[str, list[str]] = {
            "use-forwarded-headers": ["true"],
            "compute-full-forwarded-for": ["true"],
            "enable-real-ip": ["true"],
            "forwarded-for-header": ["X-Real-Ip"],
            "proxy-real-ip-cidr": ["10.0.0.0/8", "203.0.113.0/24,10.0.0.0/8", "203.0.113.9/32", "0.0.0.0/0"],
            "block-cidrs": ["203.0.113.0/24", "10.9.0.0/16,192.168.3.4"],
            "whitelist-source-range": ["10.0.0.0/8", "203.0.113.0/24, 10.1.0.0/16"],
            "denylist-source-range": ["10.9.0.0/16"],
            "block-user-agents": ["~*curl.*", "BadBot,~Evil"],
            "block-referers": ["~*spam", "https://spam.example/"],
            "ssl-redirect": ["false"],
            "force-ssl-redirect": ["true"],
            "http-redirect-code": ["301", "307", "309"],
            "no-tls-redirect-locations": ["/foo", "", "/foo,/api"],
            "no-auth-locations": ["/foo", "/api,/x"],
            "proxy-body-size": ["10", "1k", "0"],
            "custom-http-errors": ["403,503", "404", "401,413"],
            "annotations-risk-level": ["Critical", "Medium", "Low"],
            "allow-snippet-annotations": ["true"],
            "strict-validate-path-type": ["false"],
            "ssl-reject-handshake": ["true"],
            "use-port-in-redirects": ["true"],
            "preserve-trailing-slash": ["true"],
            "limit-req-status-code": ["429"],
            "annotation-value-word-blocklist": ["load_module,evil,ui.example"],
            "allow-cross-namespace-resources": ["true"],
            "server-tokens": ["true"],
        }
        for key in self.draw.sample(sorted(some), k=self.draw.randint(1, 4)):
            chosen[key] = self.draw.choice(some[key])
        return chosen

    def annotations(self) -> dict[str, str]:
        """The annotations of one Ingress."""
        out: dict[str, str] = {}
        for chance, group in (
            (0.22, self._addresses), (0.22, self._passwords), (0.12, self._cors), (0.15, self._redirects), (0.15, self._rewrites),
            (0.12, self._others), (0.06, self._certificates), (0.04, self._canary),
        ):  # fmt: skip
            if self.draw.random() < chance:
                out.update(group())
        return {PREFIX + key: value for key, value in out.items()}

    def _addresses(self) -> dict[str, str]:
        out = {}
        blocks = [
            "10.0.0.0/8",
            "203.0.113.0/24",
            "203.0.113.9",
            "10.0.0.0/8, 192.168.0.0/16",
            "0.0.0.0/0",
            "2001:db8::/32",
            "10.9.0.0/16,10.1.1.1",
            "::/0,0.0.0.0/0",
        ]
        bad = ["10.0.0.0/33", "a.example", "", "10.0.0.0/8,", " 10.0.0.0/8 ", "10.1.2.3/8", "010.0.0.1", "10.0.0.0/8;evil"]
        if self.draw.random() < 0.8:
            name = self.pick("allowlist-source-range", "whitelist-source-range", "whitelist-source-range")
            out[name] = self.draw.choice(blocks if self.draw.random() < 0.85 else bad)
        if self.draw.random() < 0.4:
            out["denylist-source-range"] = self.draw.choice(blocks if self.draw.random() < 0.85 else bad)
        if self.draw.random() < 0.3:
            out["satisfy"] = self.pick("any", "all", "none")
        return out

    def _passwords(self) -> dict[str, str]:
        out = {"auth-type": self.pick("basic", "basic", "basic", "basic", "none", "Basic")}
        if self.draw.random() < 0.95:
            out["auth-secret"] = self.pick("creds", "creds", "plain", "shop/creds", "map", "missing", "wrong", "other/creds", "a/b/c")
        if out.get("auth-secret") == "map" or self.draw.random() < 0.15:
            out["auth-secret-type"] = self.pick("auth-map", "auth-map", "auth-file", "other")
        if self.draw.random() < 0.2:
            out["auth-realm"] = self.pick("Top secret", "a;b", "x")
        if self.draw.random() < 0.3:
            out["satisfy"] = self.pick("any", "all")
        if self.draw.random() < 0.2:
            out["auth-url"] = self.pick(
                "http://10.244.0.40:8080/answer/200", "http://10.244.0.40:8080/answer/403", "10.244.0.40/answer/200", "http://a..b/x"
            )
        return out

    def _cors(self) -> dict[str, str]:
        out = {"enable-cors": self.pick("true", "true", "true", "True", "yes", "false")}
        some = {
            "cors-allow-origin": [
                "https://ui.example",
                "https://ui.example,http://ui.example",
                "*",
                "https://*.b.example",
                "null",
                "ui.example",
                "https://ui.example, https://evil.example",
                "bad origin;",
                "https://ui.example:443",
                "",
            ],
            "cors-allow-credentials": ["false", "true", "no"],
            "cors-allow-methods": ["GET", "GET, POST", "PATCH;", "*"],
            "cors-allow-headers": ["X-Team, Content-Type", "*", "x-a"],
            "cors-max-age": ["600", "ten"],
            "cors-expose-headers": ["X-One", "*"],
        }
        for key in self.draw.sample(sorted(some), k=self.draw.randint(0, 3)):
            out[key] = self.draw.choice(some[key])
        return out

    def _redirects(self) -> dict[str, str]:
        return self.pick(
            {"permanent-redirect": self.pick("https://elsewhere.example/", "https://elsewhere.example$request_uri", "/here", "elsewhere.example", "https://e.example/;x")},
            {"permanent-redirect": "https://elsewhere.example/p", "permanent-redirect-code": self.pick("308", "301", "200", "310", "x")},
            {"temporal-redirect": self.pick("https://elsewhere.example/", "http://e.example/a?b=c&d", "")},
            {"temporal-redirect": "https://elsewhere.example/t", "temporal-redirect-code": self.pick("307", "308", "303", "abc")},
            {"permanent-redirect": "https://p.example/", "temporal-redirect": "https://t.example/"},
            {"app-root": self.pick("/app", "app", "/foo/bar", "/$1", "https://x.example/")},
            {"force-ssl-redirect": self.pick("true", "false", "yes")},
            {"ssl-redirect": self.pick("false", "true")},
            {"ssl-redirect": "true", "preserve-trailing-slash": "true"},
            {"force-ssl-redirect": "true", "use-port-in-redirects": self.pick("true", "false")},
            {"from-to-www-redirect": self.pick("true", "true", "1")},
            {"relative-redirects": "true"},
            {"permanent-redirect": "https://elsewhere.example/r", "relative-redirects": "true"},
        )  # fmt: skip

    def _rewrites(self) -> dict[str, str]:
        return self.pick(
            {"rewrite-target": self.pick("/", "/$1", "/$2", "/new/$1", "/foo", "https://e.example/$1", "new", "/a b", "/$1;x")},
            {"rewrite-target": self.pick("/$2", "/$1", "/"), "use-regex": "true"},
            {"use-regex": self.pick("true", "true", "True", "on")},
            {"upstream-vhost": self.pick("in.example", "in,example", "$host")},
            {"x-forwarded-prefix": self.pick("/p", "p;q")},
        )  # fmt: skip

    def _others(self) -> dict[str, str]:
        return self.pick(
            {"proxy-body-size": self.pick("5", "1k", "0", "8m", "abc", "5 ")},
            {"server-alias": self.pick("alias.example", "*.alias.example", "alias.example, x.alias.example", "~^alias", "b.example", "bad host;")},
            {"backend-protocol": self.pick("HTTP", "http", "AUTO_HTTP", "NOPE", "HTTPS")},
            {"limit-rps": self.pick("100", "x")},
            {"limit-connections": "100", "limit-whitelist": self.pick("10.0.0.0/8", "bad")},
            {"custom-http-errors": self.pick("404", "403,503", "401", "404,x", "200")},
            {"custom-http-errors": "403,404,503", "default-backend": self.pick("api", "missing", "Bad_Name", "empty")},
            {"default-backend": self.pick("api", "admin", "missing", "empty")},
            {"configuration-snippet": "return 418;"},
            {"server-snippet": "return 418;"},
            {"enable-global-auth": "false"},
            {"http2-push-preload": "yes"},
            {"ssl-passthrough": self.pick("false", "x")},
            {"auth-url": self.pick("http://10.244.0.40:8080/answer/200", "http://10.244.0.40:8080/answer/401", "http://auth.shop.svc.cluster.local/x y", "nonsense"),
             **self.pick({}, {"auth-method": "NOPE"}, {"auth-response-headers": "X-A, X B"}, {"auth-cache-key": "$remote_user", "auth-cache-duration": "200 x"}, {"auth-proxy-set-headers": "shop/none"})},
            {"custom-headers": "shop/none"},
            {"proxy-ssl-secret": self.pick("shop/crt", "shop/missing", "crt")},
            {"satisfy": "any"},
            {"proxy-read-timeout": self.pick("x", "10")},
            {"affinity": self.pick("cookie", "x")},
            {"upstream-hash-by": "$request_uri"},
            {"mirror-target": "https://m.example$request_uri"},
            {"connection-proxy-header": "keep-alive"},
            {"load-balance": "ewma"},
        )  # fmt: skip

    def _certificates(self) -> dict[str, str]:
        out = {"auth-tls-secret": self.pick("shop/ca", "shop/ca", "ca", "shop/missing", "shop/crt", "other/ca")}
        some = {
            "auth-tls-verify-client": ["on", "off", "optional", "maybe"],
            "auth-tls-match-cn": ["CN=eve", "eve", "CN=("],
            "auth-tls-error-page": ["https://e.example/", "/x"],
            "auth-tls-verify-depth": ["1"],
        }
        for key in self.draw.sample(sorted(some), k=self.draw.randint(0, 2)):
            out[key] = self.draw.choice(some[key])
        return out

    def _canary(self) -> dict[str, str]:
        out = {"canary": "true"}
        out.update(self.pick({"canary-by-header": "x-canary"}, {"canary-by-header": "x-canary", "canary-by-header-value": "yes"}, {"canary-weight": self.pick("0", "100", "50", "x")},
                             {"canary-by-cookie": "cc"}, {"canary-by-header": "x-canary", "canary-by-header-pattern": self.pick("^y", "(", "Y")}))  # fmt: skip
        return out

    def backend(self) -> Json:
        name = self.draw.choices(["web", "api", "admin", "empty", "missing"], [5, 5, 3, 1, 1])[0]
        port: Json = {"number": SERVICES.get(name, 80)}
        if self.draw.random() < 0.15:
            port = self.pick({"name": "http"}, {"name": "nope"}, {"number": 81}, {"number": 8080})
        return {"service": {"name": name, "port": port}}

    def path(self, patterns: bool) -> Json:
        path = self.draw.choice(PATTERNS if patterns and self.draw.random() < 0.7 else PATHS)
        if path in PATTERNS:
            kind = "ImplementationSpecific" if self.draw.random() < 0.7 else self.pick("Prefix", "Exact")
        else:
            kind = self.pick("Prefix", "Prefix", "Prefix", "Exact", "ImplementationSpecific")
        item = {"path": path, "pathType": kind, "backend": self.backend()}
        if kind == "ImplementationSpecific" and self.draw.random() < 0.1:
            del item["path"]
        return item

    def ingress(self, name: str) -> Json:
        notes = self.annotations()
        patterns = PREFIX + "use-regex" in notes or PREFIX + "rewrite-target" in notes or self.draw.random() < 0.05
        rules = []
        for host in self.draw.sample(HOSTS, k=self.draw.choices([0, 1, 2, 3], [1, 12, 4, 1])[0]):
            rule: Json = {"host": host} if host else {}
            if self.draw.random() < 0.96 or PREFIX + "canary" in notes:  # the controller panics at a canary without paths
                rule["http"] = {"paths": [self.path(patterns) for _ in range(self.draw.choices([1, 2, 3, 4], [5, 4, 2, 1])[0])]}
            rules.append(rule)
        spec: Json = {"rules": rules} if rules else {}
        if not rules or self.draw.random() < 0.12:
            spec["defaultBackend"] = self.backend()
        hosts = [rule["host"] for rule in rules if rule.get("host")]
        if self.draw.random() < 0.2:
            entry: Json = {"secretName": self.pick("crt", "crt", "crt", "missing", "creds")}
            if hosts and self.draw.random() < 0.9:
                entry["hosts"] = self.draw.sample(hosts, k=1)
            if self.draw.random() < 0.1:
                del entry["secretName"]
            spec["tls"] = [entry]
        pick = self.draw.random()
        if pick < 0.85:
            spec["ingressClassName"] = "nginx"
        elif pick < 0.9:
            notes["kubernetes.io/ingress.class"] = self.pick("nginx", "other", "")
        elif pick < 0.95:
            spec["ingressClassName"] = self.pick("other", "missing", "second")
        return {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": {"name": name, "namespace": NAMESPACE, "annotations": notes},
            "spec": spec,
        }

    def objects(self) -> list[Json]:
        """Secrets, then Ingresses."""
        certificate, key = self.certificate
        secrets = [secret(name, data) for name, data in SECRETS.items()]
        secrets.append(secret("crt", {"tls.crt": certificate, "tls.key": key}, "kubernetes.io/tls"))
        secrets.append(secret("ca", {"ca.crt": certificate}))
        names = [f"i{n}" for n in range(self.draw.choices([1, 2, 3, 4, 6], [3, 4, 4, 3, 2])[0])]
        self.draw.shuffle(names)
        return [*secrets, *(self.ingress(name) for name in names)]

    def calls(self, count: int, hosts: list[str]) -> list[Call]:
        """Requests; most of them to `hosts`."""
        out = []
        for _ in range(count):
            host = self.draw.choice(hosts) if hosts and self.draw.random() < 0.6 else self.draw.choice(ASKED_HOSTS)
            headers: dict[str, str] = {}
            method, body = self.pick("GET", "GET", "GET", "GET", "HEAD", "POST", "PUT", "OPTIONS", "DELETE", "PATCH"), None
            if self.draw.random() < 0.3:
                headers["authorization"] = (
                    "Basic " + base64.b64encode(self.draw.choice(USERS).encode()).decode() if self.draw.random() < 0.95 else "Bearer x"
                )
            if self.draw.random() < 0.25:
                headers["origin"] = self.draw.choice(ORIGINS)
                if method == "OPTIONS":
                    headers["access-control-request-method"] = "PUT"
            for name, values in (
                ("x-forwarded-for", ["10.1.1.1", "203.0.113.9, 10.9.1.1", "10.1.1.1, 198.51.100.7", "junk", "10.1.1.1:80, 10.9.1.1", "[2001:db8::5]:80"]),
                ("x-real-ip", ["10.1.1.1"]), ("x-forwarded-proto", ["https", "http"]), ("x-forwarded-host", ["b.example", "e.example:8080"]), ("x-canary", ["always", "never", "yes", "other"]),
                ("cookie", ["cc=always", "a=b; cc=never", "cc=1"]), ("user-agent", ["curl/8", "BadBot", "badbot/2", "Mozilla Evil"]), ("referer", ["https://spam.example/", "http://SPAM"]),
            ):  # fmt: skip
                if self.draw.random() < 0.08:
                    headers[name] = self.draw.choice(values)
            if method in ("POST", "PUT", "PATCH"):
                body = b"x" * self.pick(0, 3, 20, 2000)
            tls = self.draw.random() < 0.2
            out.append(Call(host, self.draw.choice(ASKED), method, tls, self.draw.choice(SOURCES), headers, body))
        return out
