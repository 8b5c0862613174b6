"""The real ingress-nginx: the controller's own binary and template, with Debian's nginx and its Lua modules.

Two things of the template are not used: the `stream` block (Debian has no Lua module for it; TCP and UDP services are not compared, and
a listener that says nothing takes what the controller tells it) and the name of the place where modules lie.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

from tests.differential.edge import sandbox
from tests.support.apiserver import ApiServer

SPACE, NAME = "ingress-nginx", "ingress-nginx-controller"
LABELS = {"app.kubernetes.io/name": "ingress-nginx", "app.kubernetes.io/component": "controller"}
IMAGE = "registry.k8s.io/ingress-nginx/controller:v1.15.1"
OPTIONS = ["--ingress-class=nginx", f"--configmap={SPACE}/{NAME}"]
MODULES = ("ndk_http", "ngx_http_lua", "ngx_http_set_misc", "ngx_http_headers_more_filter")
_FOLDER = Path("/usr/lib/nginx/modules")
_STREAM_PORT = 10247
_LUA = "/usr/share/lua/5.1/?.lua"


def why_not() -> str | None:
    """What is missing here; None when it can run."""
    for name in ("MESHCHECK_INGRESS_NGINX", "MESHCHECK_INGRESS_NGINX_ROOTFS", "MESHCHECK_LUA_RESTY"):
        if not os.environ.get(name) or not Path(os.environ[name]).exists():
            return f"{name} names nothing (tests/differential/ingress_nginx/README.md says how to make it)"
    if not shutil.which("nginx", path="/usr/sbin:/usr/bin"):
        return "no nginx (apt-get install nginx-light)"
    missing = [name for name in MODULES if not (_FOLDER / f"{name}_module.so").exists()]
    return f"no modules {', '.join(missing)} of nginx (apt-get install libnginx-mod-http-lua …)" if missing else None


def _furnish(folder: Path) -> None:
    """/etc/nginx as the image has it; /etc is the sandbox's own."""
    shutil.rmtree("/etc/nginx")
    shutil.copytree(Path(os.environ["MESHCHECK_INGRESS_NGINX_ROOTFS"]) / "etc/nginx", "/etc/nginx")
    template = Path("/etc/nginx/template/nginx.tmpl")
    text = template.read_text()
    start, end = text.index("\nstream {"), text.index("{{/* definition of templates to avoid repetitions */}}")
    text = text[:start] + "\n" + text[end:]
    loads = "".join(f"load_module {_FOLDER}/{name}_module.so;\n" for name in MODULES)
    text = text.replace("daemon off;", f"user root;\n{loads}daemon off;", 1)
    resty = os.environ["MESHCHECK_LUA_RESTY"]
    path = ";".join([f"{resty}/{name}/lib/?.lua" for name in sorted(os.listdir(resty))])
    text = text.replace('lua_package_path "/etc/nginx/lua/?.lua;;";', f'lua_package_path "/etc/nginx/lua/?.lua;{path};{_LUA};;";\n'
                        f'    lua_package_cpath "{resty}/lua-resty-balancer/?.so;;";')  # fmt: skip
    assert "\nstream {" not in text
    assert path in text
    template.write_text(re.sub(r"http2 on;", "", text))
    Path("/etc/nginx/mime.types").write_text("types { text/html html; }\n")
    for name in ("ssl", "auth", "geoip", "telemetry"):
        Path("/etc/ingress-controller", name).mkdir(parents=True, exist_ok=True)
    temporary = Path("/tmp/nginx")
    temporary.mkdir(exist_ok=True)
    sandbox.run("mount", "-t", "tmpfs", "tmpfs", str(temporary))
    sandbox.run("mount", "-t", "tmpfs", "tmpfs", "/var/log/nginx")


@contextlib.contextmanager
def _stream() -> Iterator[None]:
    """What stands where nginx would take the endpoints of TCP and UDP services."""
    with socket.create_server(("127.0.0.1", _STREAM_PORT)) as listener:

        def take() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        while connection.recv(65536):
                            pass

        threading.Thread(target=take, daemon=True).start()
        yield


@contextlib.contextmanager
def running(server: ApiServer, folder: Path, *options: str) -> Iterator[sandbox.Program]:
    """The controller until the block ends. Its pod and its ConfigMap must be there."""
    _furnish(folder)
    command = [
        os.environ["MESHCHECK_INGRESS_NGINX"], f"--kubeconfig={server.kubeconfig()}", *OPTIONS, *options,
        "--update-status=false", "--enable-metrics=false", "--sync-rate-limit=20", "--shutdown-grace-period=0",
        "--post-shutdown-grace-period=0", "--disable-leader-election", "--profiling=false", "--v=2", "--dynamic-configuration-retries=5",
    ]  # fmt: skip
    environment = {"POD_NAME": NAME, "POD_NAMESPACE": SPACE, "NGINX_BINARY": shutil.which("nginx", path="/usr/sbin:/usr/bin") or ""}
    with sandbox.program(folder / "controller.log", *command, environment=environment) as started:
        sandbox.wait_for("the controller", 30, started, until=lambda: "Starting NGINX process" in started.text())
        with _stream():
            yield started
