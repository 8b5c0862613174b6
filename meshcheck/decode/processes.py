"""As whom nginx runs in a container, and which files it may read.

Sources: kubernetes/kubernetes:pkg/securitycontext/util.go (the container's fields win over the pod's); containerd's
pkg/oci/spec_opts.go (WithUserID: the group of a user is that of the image's /etc/passwd, else 0); nginx/nginx:src/os/unix/
ngx_process_cycle.c (ngx_worker_process_init: a master that is root gives its workers the `user` of the configuration).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshcheck.model.nginx import Directive, Process
from meshcheck.model.record import NamedTuple

_OFFICIAL = frozenset(
    f"{registry}{name}"
    for name in ("nginx", "library/nginx")
    for registry in ("", "docker.io/", "index.docker.io/", "public.ecr.aws/docker/", "mirror.gcr.io/")
)
_UNPRIVILEGED = frozenset(
    f"{registry}nginx-unprivileged"
    for registry in ("nginxinc/", "docker.io/nginxinc/", "ghcr.io/nginx/", "ghcr.io/nginxinc/", "quay.io/nginx/", "public.ecr.aws/nginx/")
)
_ACCOUNTS = {"root": (0, 0), "nginx": (101, 101)}
"""The official images' accounts that configurations name."""
_CONFD = "events {} http { include /etc/nginx/conf.d/*.conf; }"
_PAGES = "server_name localhost; location / { root /usr/share/nginx/html; index index.html index.htm; }"


class Image(NamedTuple):
    """What is known of an image."""

    name: str
    nginx: bool
    """Whether its name says that it is nginx."""
    main: str
    """Path of its main configuration."""
    usual: str
    """What the main configuration is likely to say: the part that decides."""
    files: Mapping[str, str]
    """Its configuration, where that is known: path → text that means the same."""
    user: int | None


def image_of(container: Mapping[str, Any]) -> Image:
    """The image of a container."""
    name = str(container.get("image") or "")
    bare = name.partition("@")[0]
    last = bare.rpartition("/")[2]
    repository = bare[: len(bare) - len(last)] + last.partition(":")[0]
    if repository in _OFFICIAL:
        files = {"/etc/nginx/nginx.conf": f"user nginx; {_CONFD}", "/etc/nginx/conf.d/default.conf": f"server {{ listen 80; {_PAGES} }}"}
        return Image(name, True, "/etc/nginx/nginx.conf", "", files, 0)
    if repository in _UNPRIVILEGED:
        files = {"/etc/nginx/nginx.conf": _CONFD, "/etc/nginx/conf.d/default.conf": f"server {{ listen 8080; {_PAGES} }}"}
        return Image(name, True, "/etc/nginx/nginx.conf", "", files, 101)
    if "bitnami" in repository and last.startswith("nginx"):
        blocks = "events {} http { include /opt/bitnami/nginx/conf/server_blocks/*.conf; }"
        return Image(name, True, "/opt/bitnami/nginx/conf/nginx.conf", blocks, {}, None)
    if "openresty" in last:
        return Image(name, True, "/usr/local/openresty/nginx/conf/nginx.conf", _CONFD, {}, None)
    return Image(name, "nginx" in last, "/etc/nginx/nginx.conf", _CONFD, {}, None)


def container_user(pod: Mapping[str, Any], container: Mapping[str, Any], image: Image) -> Process:
    """As whom the container starts."""
    on_pod, own = _map(pod.get("securityContext")), _map(container.get("securityContext"))
    user = own.get("runAsUser", on_pod.get("runAsUser"))
    group = own.get("runAsGroup", on_pod.get("runAsGroup"))
    given = on_pod.get("supplementalGroups")
    more = [on_pod.get("fsGroup"), *(given if isinstance(given, list) else ())]
    others = frozenset(g for g in more if isinstance(g, int))
    if not isinstance(user, int):
        user = image.user
    if not isinstance(group, int):
        known = {0: 0, 101: 101} if image.files else {0: 0}
        group = known.get(user, 0 if image.files else None) if user is not None else None
    who = "the user of the image" if user is None else f"user {user}"
    return Process(user, group, others, who)


def worker_of(pod: Mapping[str, Any], container: Mapping[str, Any], image: Image, tree: tuple[Directive, ...]) -> Process:
    """As whom the workers read files: a root master sheds its rights and its supplementary groups."""
    master = container_user(pod, container, image)
    if master.user != 0:
        return master
    named = next((item.args for item in tree if item.name == "user"), ("nginx",))
    account = _ACCOUNTS.get(named[0]) if image.files or named[0] == "root" else None
    if account is None:
        return Process(None, None, frozenset(), f"user `{named[0]}` of nginx's workers")
    group = _ACCOUNTS.get(named[1], (None, None))[1] if len(named) > 1 else account[1]
    return Process(account[0], group, frozenset(), f"user {account[0]} ({named[0]}) of nginx's workers")


def may_read(who: Process, mode: int, group: int) -> bool | None:
    """Whether a process may read a file of root and a group; None where it depends on what is not known of the process."""
    if mode & 0o444 == 0o444:
        return True
    if who.user == 0:
        return True if mode & 0o400 else None  # by the capability DAC_OVERRIDE, which may have been dropped
    if who.user is None:
        return False if not mode & 0o444 else None
    if group in who.others or group == who.group:
        return bool(mode & 0o040)
    if who.group is None and bool(mode & 0o040) != bool(mode & 0o004):
        return None
    return bool(mode & 0o004)


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
