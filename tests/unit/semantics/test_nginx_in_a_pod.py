"""What of a pod's nginx is known from its manifests, and what is not: includes, templates, commands, images, modes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.batch import ask

Json = dict[str, Any]
DENY = "server { listen 80; deny all; }"
PASS = "server { listen 80; location / { proxy_pass http://127.0.0.1:3000; } }"


def config_map(name: str, **data: str) -> Json:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "shop"}, "data": data}


def pod(mounts: list[Json], volumes: list[Json], *, container: Json | None = None, spec: Json | None = None) -> Json:
    made = {"name": "web", "image": "nginx:1.27", "volumeMounts": mounts, **(container or {})}
    meta = {"name": "web", "namespace": "shop", "labels": {"app": "web"}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [made], "volumes": volumes, **(spec or {})}}


def mount(name: str, path: str, **more: Any) -> Json:
    return {"name": name, "mountPath": path, **more}


def volume(name: str, **more: Any) -> Json:
    return {"name": name, "configMap": {"name": name, **more}}


def answer(*objects: Json, method: str = "GET", path: str = "/", port: int = 80, brief: bool = True, **more: Any) -> Json:
    """The trace of a call from 10.1.2.3 to the pod."""
    question = {"id": "q", "from": {"ip": "10.1.2.3"}, "to": {"namespace": "shop", "workload": "web", "port": port}}
    question |= {"method": method, "path": path, "host": "web.shop", **more}
    manifests = "\n---\n".join(json.dumps(item) for item in objects)
    return ask([{"id": "w", "manifests": manifests, "closed_world": True, "questions": [question]}], brief=brief)["w", "q"]


def simple(text: str, **container: Any) -> tuple[Json, Json]:
    """A ConfigMap in conf.d, and its pod."""
    return config_map("conf", **{"default.conf": text}), pod([mount("conf", "/etc/nginx/conf.d")], [volume("conf")], container=container)


def status(trace: Json) -> tuple[str, int | None]:
    return trace["verdict"], trace["symptom"]["status"]


def facts(trace: Json) -> str:
    return "; ".join(item["fact"] for item in trace["missing"])


def test_official_image_includes_conf_d() -> None:
    assert status(answer(*simple(DENY))) == ("denied", 403)
    assert status(answer(*simple(PASS))) == ("allowed", None)


@pytest.mark.parametrize("image", ["nginx", "docker.io/library/nginx:1.27-alpine", "nginx@sha256:" + "0" * 64])
def test_names_of_the_official_image(image: str) -> None:
    assert status(answer(*simple(DENY, image=image))) == ("denied", 403)


def test_a_refusal_of_an_image_that_nobody_knows_is_not_sure() -> None:
    trace = answer(*simple(DENY, image="example.com/our-nginx:3"))
    assert trace["verdict"] == "unknown"
    assert "example.com/our-nginx:3" in facts(trace)
    assert status(answer(*simple(PASS, image="example.com/our-nginx:3"))) == ("allowed", None)


def test_another_command_may_do_something_first() -> None:
    trace = answer(*simple(DENY, command=["sh", "-c", "setup && nginx"]))
    assert trace["verdict"] == "unknown"
    assert "`sh`" in facts(trace)
    assert status(answer(*simple(DENY, command=["nginx", "-g", "daemon off;"]))) == ("denied", 403)


def test_main_configuration_named_by_the_command() -> None:
    main = config_map("conf", **{"main.conf": f"events {{}} http {{ {DENY} }}"})
    command = {"command": ["nginx", "-c", "/etc/nginx/own/main.conf"]}
    assert status(answer(main, pod([mount("conf", "/etc/nginx/own")], [volume("conf")], container=command))) == ("denied", 403)


def test_no_visible_configuration_no_station() -> None:
    other = config_map("settings", **{"app.conf": DENY})
    bare = pod([mount("settings", "/srv/settings")], [volume("settings")])
    trace = answer(other, bare, brief=False)
    assert trace["verdict"] == "allowed"
    assert [s["station"] for hop in trace["hops"] for s in hop["stations"]] == ["mtls"]


def test_a_port_on_which_nginx_does_not_listen_has_no_station() -> None:
    assert status(answer(*simple(DENY), port=9000)) == ("allowed", None)


def test_an_included_secret_is_a_missing_fact() -> None:
    text = "server { listen 80; include /etc/nginx/lists/office.conf; location / { proxy_pass http://127.0.0.1:3000; } }"
    mounts = [mount("conf", "/etc/nginx/conf.d"), mount("lists", "/etc/nginx/lists")]
    volumes = [volume("conf"), {"name": "lists", "secret": {"secretName": "office"}}]
    trace = answer(config_map("conf", **{"default.conf": text}), pod(mounts, volumes))
    assert trace["verdict"] == "unknown"
    assert "/etc/nginx/lists/office.conf of Secret office" in facts(trace)


def test_a_config_map_that_is_not_in_the_input() -> None:
    main = config_map("main", **{"nginx.conf": "events {} http { include conf.d/*.conf; " + PASS + " }"})
    mounts = [mount("main", "/etc/nginx/nginx.conf", subPath="nginx.conf"), mount("more", "/etc/nginx/conf.d")]
    trace = answer(main, pod(mounts, [volume("main"), volume("more")]))
    assert trace["verdict"] == "unknown"
    assert "ConfigMap more" in facts(trace)


def test_templates_are_filled_when_the_container_starts() -> None:
    mounts = [mount("conf", "/etc/nginx/templates")]
    trace = answer(config_map("conf", **{"default.conf.template": DENY}), pod(mounts, [volume("conf")]))
    assert trace["verdict"] == "unknown"
    assert "envsubst" in facts(trace)


def test_sub_path_leaves_the_files_of_the_image() -> None:
    """The image's own default.conf stays, and is first in the alphabet: it is the default server."""
    conf = config_map("conf", **{"zone.conf": "server { listen 80; server_name web.shop; deny all; }"})
    here = pod([mount("conf", "/etc/nginx/conf.d/zone.conf", subPath="zone.conf")], [volume("conf")])
    assert status(answer(conf, here)) == ("denied", 403)
    assert status(answer(conf, here, host="other.shop")) == ("allowed", None)


def test_items_rename_files() -> None:
    conf = config_map("conf", site=DENY)
    mounts = [mount("conf", "/etc/nginx/conf.d")]
    assert status(answer(conf, pod(mounts, [volume("conf", items=[{"key": "site", "path": "site.conf"}])]))) == ("denied", 403)
    assert status(answer(conf, pod(mounts, [volume("conf", items=[{"key": "site", "path": "site.txt"}])]))) == ("allowed", None)


def test_projected_volumes() -> None:
    projected = {"name": "conf", "projected": {"sources": [{"configMap": {"name": "conf"}}]}}
    conf = config_map("conf", **{"default.conf": DENY})
    assert status(answer(conf, pod([mount("conf", "/etc/nginx/conf.d")], [projected]))) == ("denied", 403)


@pytest.mark.parametrize(
    "text",
    [
        "server { listen 80; deny all }",
        "server { listen 80; deny; }",
        "server {",
        "}",
        "location / { }",
        "server { listen 80; allow all all; }",
    ],
)
def test_a_configuration_with_which_nginx_does_not_start(text: str) -> None:
    trace = answer(*simple(text))
    assert trace["verdict"] == "unknown"
    assert "whether nginx starts" in facts(trace)
    assert "default.conf" in facts(trace)


def test_blocks_without_end_do_not_end_in_a_traceback() -> None:
    trace = answer(*simple("server { listen 80; " + "location / { " * 5000 + "} " * 5000 + "}"))
    assert trace["verdict"] == "unknown"


def test_files_that_include_each_other() -> None:
    trace = answer(*simple("include /etc/nginx/conf.d/default.conf;"))
    assert trace["verdict"] == "unknown"
    assert "included" in facts(trace)


@pytest.mark.parametrize("volumes", [[{"name": ["x"], "configMap": {"name": 3}}], [7], [{"name": "conf", "configMap": []}]])
def test_malformed_volumes_do_not_end_in_a_traceback(volumes: list[Any]) -> None:
    conf = config_map("conf", **{"default.conf": DENY})
    assert answer(conf, pod([mount("conf", "/etc/nginx/conf.d"), {"mountPath": 3}], volumes))["verdict"] in ("allowed", "unknown")


@pytest.mark.parametrize(
    ("mode", "security", "verdict"),
    [
        (0o644, {}, ("allowed", None)),
        (0o440, {}, ("denied", 403)),  # root starts, its workers are user nginx
        (0o440, {"fsGroup": 2000}, ("denied", 403)),  # and shed the group of the pod
        (0o444, {"runAsUser": 1000}, ("allowed", None)),
        (0o400, {"runAsUser": 1000}, ("denied", 403)),
        (0o400, {"runAsUser": 1000, "fsGroup": 2000}, ("allowed", None)),  # fsGroup adds the permission to read
        (0o440, {"runAsUser": 1000, "runAsGroup": 3000}, ("denied", 403)),
        (0o440, {"runAsUser": 1000}, ("allowed", None)),  # a user that /etc/passwd does not know has group 0, as the files
        (0o440, {"runAsUser": 101}, ("denied", 403)),  # this one has group 101
        (0o440, {"runAsUser": 101, "supplementalGroups": [0]}, ("allowed", None)),
    ],
)
def test_modes_of_volumes(mode: int, security: Json, verdict: tuple[str, int | None]) -> None:
    conf = config_map("conf", **{"default.conf": "server { listen 8080; root /srv; }"})
    mounts = [mount("conf", "/etc/nginx/conf.d"), mount("pages", "/srv")]
    here = pod(mounts, [volume("conf"), volume("pages", defaultMode=mode)], spec={"securityContext": security})
    assert status(answer(conf, config_map("pages", **{"a.txt": "x"}), here, path="/a.txt", port=8080)) == verdict


def test_a_configuration_that_the_user_may_not_read() -> None:
    conf = config_map("conf", **{"default.conf": DENY})
    here = pod([mount("conf", "/etc/nginx/conf.d")], [volume("conf", defaultMode=0o400)], spec={"securityContext": {"runAsUser": 1000}})
    trace = answer(conf, here)
    assert trace["verdict"] == "unknown"
    assert "user 1000 may not read /etc/nginx/conf.d/default.conf" in facts(trace)


def test_without_index_file() -> None:
    conf = config_map("conf", **{"default.conf": "server { listen 80; root /srv; }"})
    mounts = [mount("conf", "/etc/nginx/conf.d"), mount("pages", "/srv")]
    volumes = [volume("conf"), volume("pages")]
    assert status(answer(conf, config_map("pages", **{"home.html": "x"}), pod(mounts, volumes))) == ("denied", 403)
    assert status(answer(conf, config_map("pages", **{"index.html": "x"}), pod(mounts, volumes))) == ("allowed", None)
    assert status(answer(conf, config_map("pages", **{"home.html": "x"}), pod(mounts, volumes), path="/none")) == ("denied", 404)


@pytest.mark.parametrize(
    ("inside", "fact"),
    [
        ("access_by_lua_block { ngx.exit(403) }", "access_by_lua_block"),
        ("if ($http_user_agent ~ curl) { return 403; }", "user-agent"),
        ("auth_request /check; location = /check { proxy_pass http://127.0.0.1:9; }", "sub-request"),
        ("modsecurity on;", "modsecurity"),
        ("auth_basic x; auth_basic_user_file /etc/secret/users;", "password"),
        ("location ~ ^(?<a>[[:alpha:]/]+)$ { deny all; }", "matches"),
    ],
)
def test_what_stays_unknown(inside: str, fact: str) -> None:
    trace = answer(
        *simple(f"server {{ listen 80; {inside} location / {{ proxy_pass http://127.0.0.1:3000; }} }}"),
        headers={"authorization": ["Basic YTpi"]},
    )
    assert trace["verdict"] == "unknown"
    assert fact in facts(trace)


def test_an_unknown_condition_that_changes_nothing() -> None:
    text = "server { listen 80; if ($http_user_agent ~ curl) { return 403; } location / { return 403; } }"
    assert status(answer(*simple(text))) == ("denied", 403)


def test_tls_port_called_in_plain() -> None:
    text = "server { listen 80 ssl; ssl_certificate a; ssl_certificate_key b; location / { return 204; } }"
    assert status(answer(*simple(text))) == ("denied", 400)


def test_real_ip_and_unknown_addresses() -> None:
    rules = "allow 203.0.113.0/24; deny all; location / { proxy_pass http://127.0.0.1:3000; }"
    known = simple(f"server {{ listen 80; set_real_ip_from 10.0.0.0/8; real_ip_header X-Forwarded-For; {rules} }}")
    assert status(answer(*known)) == ("denied", 403)
    assert status(answer(*known, headers={"x-forwarded-for": ["203.0.113.9"]})) == ("allowed", None)
    trace = answer(*simple(f"server {{ listen 80; {rules} }}"), **{"from": {"namespace": "shop", "workload": "web"}})
    assert trace["verdict"] == "unknown"
    assert "address of the caller" in facts(trace)


def test_grpc_needs_http2() -> None:
    assert answer(*simple(PASS), protocol="grpc")["verdict"] == "unknown"
    assert status(answer(*simple(PASS.replace("80;", "80 http2;")), protocol="grpc")) == ("allowed", None)


def test_a_token_that_the_sidecar_may_take_away() -> None:
    """Without a sidecar nginx sees the header; behind one that verifies tokens nobody here knows whether it still does."""
    conf, web = simple(
        'server { listen 80; if ($http_authorization = "") { return 401; } location / { proxy_pass http://127.0.0.1:3000; } }'
    )
    bearer = {"authorization": ["Bearer x.y.z"]}
    assert status(answer(conf, web)) == ("denied", 401)
    assert status(answer(conf, web, headers=bearer)) == ("allowed", None)
    rules = {"jwtRules": [{"issuer": "someone", "jwks": '{"keys": []}'}]}
    policy = {"apiVersion": "security.istio.io/v1", "kind": "RequestAuthentication", "metadata": {"name": "jwt", "namespace": "shop"}}
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {"istio-injection": "enabled"}}}
    trace = answer(space, conf, web, {**policy, "spec": rules}, claims={"iss": "someone", "sub": "me"})
    assert trace["verdict"] == "unknown"
    assert "`authorization`" in facts(trace)
