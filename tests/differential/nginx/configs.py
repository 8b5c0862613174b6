"""Random `http` blocks, and requests that hit their corners."""

from __future__ import annotations

import base64
import random
from collections.abc import Mapping
from typing import NamedTuple

SOURCES = ["127.0.0.1", "127.0.0.2", "127.1.0.1", "127.9.9.9"]
BLOCKS = ["127.0.0.1", "127.0.0.2", "127.0.0.0/24", "127.0.0.0/8", "127.1.0.0/16", "10.0.0.0/8", "::1", "all", "all"]
PATHS = [
    "/",
    "/admin",
    "/admin/",
    "/admin/x",
    "/admin/deep/x",
    "/api",
    "/api/v1/items",
    "/api/v2",
    "/static/a.txt",
    "/static/",
    "/static/no",
    "/pages/",
    "/pages",
    "/private/x",
    "/x.php",
    "/admin/x.php",
    "/API/v1",
    "//admin//x",
    "/a/../admin/x",
    "/%61dmin/x",
    "/admin%2Fx",
    "/auth",
    "/old/thing",
    "/admin/../../x",
    "/?q=1",
    "/api?debug=1",
    "/%zz",
    "/closed/x",
    "/err/403",
    "/admin/deep",
]
NAMES = [
    ("", "/"),
    ("", "/admin"),
    ("", "/admin/"),
    ("", "/admin/deep"),
    ("", "/api"),
    ("", "/api/"),
    ("", "/private"),
    ("", "/closed"),
    ("=", "/"),
    ("=", "/api"),
    ("=", "/admin/x"),
    ("^~", "/admin"),
    ("^~", "/api/v1"),
    ("^~", "/static/"),
    ("~", r"\.php$"),
    ("~", "^/api/v[0-9]+"),
    ("~*", "^/api"),
    ("~", "/deep/"),
    ("~*", r"\.(txt|html)$"),
]
METHODS = ["GET", "GET", "GET", "HEAD", "POST", "DELETE", "OPTIONS", "PUT"]
HOSTS = ["a.example", "b.example", "x.a.example", "deep.x.a.example", "A.Example:80", "shop.test", "v1.regex.test", "nobody.test"]
SERVER_NAMES = ["a.example", "b.example", "*.a.example", ".example", "shop.*", r"~^v\d+\.regex\.test$", "x.a.example", "_"]


class Call(NamedTuple):
    """A request: from which address, and what."""

    source: str
    method: str
    path: str
    headers: Mapping[str, str]


class Writer:
    """Writes one configuration. `www` is a folder of files, `up` the port of the server behind nginx."""

    def __init__(self, draw: random.Random, port: int, up: int, www: str) -> None:
        self.draw, self.port, self.up, self.www = draw, port, up, www

    def http(self) -> str:
        """The inside of a `http` block."""
        draw = self.draw
        lines = ["  map $http_x_mode $blocked { default 0; bad 1; ~*^evil 1; }", "  geo $near { default 0; 127.0.0.0/24 1; }"]
        if draw.random() < 0.2:
            lines += self.rules("  ", 0.5)
        if draw.random() < 0.15:
            lines += ["  set_real_ip_from 127.0.0.0/24;", f"  real_ip_header {draw.choice(['X-Real-IP', 'X-Forwarded-For'])};"]
            lines += ["  real_ip_recursive on;"] if draw.random() < 0.5 else []
        names = draw.sample(SERVER_NAMES, k=len(SERVER_NAMES))
        for n in range(draw.choice([1, 1, 2, 3])):
            lines += self.server(n, names[2 * n : 2 * n + draw.randint(0, 2)])
        return "\n".join(lines) + "\n"

    def server(self, n: int, names: list[str]) -> list[str]:
        draw = self.draw
        default = " default_server" if n == 1 and draw.random() < 0.4 else ""
        lines = [f"  server {{ # {n}", f"    listen {self.port}{default};"]
        lines += [f"    server_name {' '.join(names)};"] if names else []
        lines += [f"    root {self.www};"]
        lines += self.rules("    ", 0.25) + self.errors("    ", 0.25) + self.rewrites("    ", 0.12)
        lines += ["    merge_slashes off;"] if draw.random() < 0.1 else []
        lines += ["    location @fallback { " + draw.choice([f"proxy_pass http://127.0.0.1:{self.up};", "return 402;", "deny all;"]) + " }"]
        lines += ["    location /err/ { " + draw.choice(["internal;", "return 410;", ""]) + " }"]
        lines += [
            "    location = /auth { "
            + draw.choice(["return 204;", "return 401;", "return 403;", "return 200 ok;", "internal; return 204;"])
            + " }"
        ]
        seen = {"/err/", "=/auth"}
        for kind, name in draw.sample(NAMES, k=draw.randint(1, 7)):
            key = name if kind in ("", "^~") else f"{kind}{name}"
            if key not in seen:
                seen.add(key)
                lines += self.location(kind, name, "    ", 0)
        return [*lines, "  }"]

    def location(self, kind: str, name: str, pad: str, depth: int) -> list[str]:
        draw = self.draw
        inner = pad + "  "
        written = f'"{name}"' if draw.random() < 0.2 else name
        lines = [f"{pad}location {kind + ' ' if kind else ''}{written} {{"]
        lines += self.rules(inner, 0.5) + self.errors(inner, 0.12) + self.rewrites(inner, 0.25)
        if draw.random() < 0.12:
            lines += [f"{inner}internal;"]
        if draw.random() < 0.2:
            lines += [
                f"{inner}limit_except {draw.choice(['GET', 'GET POST', 'OPTIONS', 'DELETE'])} {{",
                *self.access(inner + "  "),
                f"{inner}}}",
            ]
        pick = draw.random()
        if pick < 0.45:
            lines += [f"{inner}proxy_pass http://127.0.0.1:{self.up};"]
        elif pick < 0.6:
            lines += [
                f"{inner}try_files {draw.choice(['$uri', '$uri $uri/', '/none'])} {draw.choice(['=404', '=403', '@fallback', '/api'])};"
            ]
        elif pick < 0.7:
            lines += [
                f"{inner}autoindex {draw.choice(['on', 'off'])};",
                f"{inner}index {draw.choice(['index.html', 'none.html other.html'])};",
            ]
        if kind in ("", "^~") and depth == 0 and draw.random() < 0.3:
            for more, tail in draw.sample([("", "x"), ("=", "x"), ("~", None), ("^~", "deep")], k=draw.randint(1, 2)):
                path = r"\.php$" if tail is None else name.rstrip("/") + "/" + tail
                lines += self.location(more, path, inner, 1)
        return [*lines, f"{pad}}}"]

    def access(self, pad: str) -> list[str]:
        """One to three rules for addresses."""
        return [f"{pad}{self.draw.choice(['allow', 'deny'])} {self.draw.choice(BLOCKS)};" for _ in range(self.draw.randint(1, 3))]

    def rules(self, pad: str, chance: float) -> list[str]:
        draw, lines = self.draw, []
        if draw.random() < chance:
            lines += self.access(pad)
        if draw.random() < chance / 2:
            lines += [f"{pad}auth_basic {draw.choice(['private', 'off'])};"]
            lines += [f"{pad}auth_basic_user_file {self.www}/{draw.choice(['users', 'users', 'no-such-file'])};"]
        if draw.random() < chance / 4:
            lines += [f"{pad}auth_request {draw.choice(['/auth', '/auth', '/api', 'off'])};"]
        if draw.random() < chance / 2:
            lines += [f"{pad}satisfy {draw.choice(['any', 'all'])};"]
        return lines

    def errors(self, pad: str, chance: float) -> list[str]:
        if self.draw.random() >= chance:
            return []
        code = self.draw.choice(["403", "401", "404", "401 403", "405"])
        change = self.draw.choice(["", "", "=", "=200", "=418"])
        target = self.draw.choice(["/err/page", "@fallback", "/static/a.txt", "https://elsewhere.example/", "/admin/x"])
        return [f"{pad}error_page {code} {change} {target};"]

    def rewrites(self, pad: str, chance: float) -> list[str]:
        if self.draw.random() >= chance:
            return []
        return [
            pad
            + self.draw.choice(
                [
                    "return 403;",
                    "return 200 text;",
                    "return 301 https://elsewhere.example$request_uri;",
                    "return 444;",
                    'return 403 "no";',
                    "if ($request_method = DELETE) { return 405; }",
                    "if ($blocked) { return 403; }",
                    "if ($near = 0) { return 403; }",
                    'if ($http_x_mode !~ "^(good|bad)$") { return 402; }',
                    "if ($arg_debug) { return 403; }",
                    "if ($uri ~* ^/api) { break; }",
                    "rewrite ^/old/(.*)$ /admin/$1 last;",
                    "rewrite ^/admin/(.*) /api/$1;",
                    "rewrite ^/api/(.*)$ /static/a.txt break;",
                    "rewrite ^/private https://elsewhere.example/ redirect;",
                    "rewrite ^(/x.*)$ $1x last;",
                    "set $blocked2 1;",
                    "if ($host = b.example) { rewrite ^ /closed/x last; }",
                    "if (!-f $request_filename) { set $a 1; }",
                ]
            )
        ]


def calls(draw: random.Random, count: int) -> list[Call]:
    """Requests."""
    out = []
    for _ in range(count):
        headers = {"host": draw.choice(HOSTS)}
        if draw.random() < 0.3:
            user = draw.choice(["ann:secret", "ann:wrong", "bob:hash", "eve:x", "carl:apr", "nocolon"])
            headers["authorization"] = "Basic " + base64.b64encode(user.encode()).decode()
        if draw.random() < 0.25:
            headers["x-mode"] = draw.choice(["bad", "Evil", "good", "BAD"])
        if draw.random() < 0.2:
            headers[draw.choice(["x-real-ip", "x-forwarded-for"])] = draw.choice(["127.1.0.1", "10.1.2.3", "10.9.9.9, 127.0.0.2", "junk"])
        out.append(Call(draw.choice(SOURCES), draw.choice(METHODS), draw.choice(PATHS), headers))
    return out
