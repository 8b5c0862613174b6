"""The containers of a pod that run nginx with a configuration from ConfigMaps.

What the images bring along: nginx/docker-nginx:stable/debian (Dockerfile, docker-entrypoint.sh, 20-envsubst-on-templates.sh) and
nginx/docker-nginx-unprivileged.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from itertools import pairwise
from typing import Any

from meshcheck.decode.mounts import ConfigMaps, holding, mounts_of
from meshcheck.decode.nginx_text import NginxSyntaxError, first_fault, parse
from meshcheck.decode.processes import Image, container_user, image_of, worker_of
from meshcheck.model.nginx import Directive, Mount, MountedFile, Nginx
from meshcheck.model.record import NamedTuple

MOST_INCLUDES = 500
DEEPEST_INCLUDE = 20


def nginx_of(pod: Mapping[str, Any], config_maps: ConfigMaps) -> tuple[Nginx, ...]:
    """The containers of a pod (its `spec`) that run nginx with a visible configuration."""
    if not any(isinstance(v, dict) and ("configMap" in v or "projected" in v) for v in _list(pod.get("volumes"))):
        return ()
    containers = [c for c in _list(pod.get("containers")) if isinstance(c, dict)]
    found = [_nginx(pod, container, mounts_of(pod, container, config_maps)) for container in containers]
    return tuple(item for item in found if item is not None)


def may_be_configured(pod: Mapping[str, Any]) -> bool:
    """Whether some container looks like an nginx that has files from a ConfigMap, whatever these say."""
    names = {str(v.get("name")) for v in _list(pod.get("volumes")) if isinstance(v, dict) and ("configMap" in v or "projected" in v)}
    for container in (c for c in _list(pod.get("containers")) if isinstance(c, dict)):
        mounts = [m for m in _list(container.get("volumeMounts")) if isinstance(m, dict) and str(m.get("name")) in names]
        paths = [str(m.get("mountPath")) for m in mounts]
        paths = [path for path in paths if not path.startswith("/var/run/secrets/")]
        if any("nginx" in path for path in paths) or (paths and image_of(container).nginx):
            return True
    return False


class _Start(NamedTuple):
    """How a container starts nginx."""

    main: str
    """Path of the main configuration."""
    unsure: str | None
    """Why it may do something else."""


def _nginx(pod: Mapping[str, Any], container: Mapping[str, Any], mounts: tuple[Mount, ...]) -> Nginx | None:
    image = image_of(container)
    start = _start(container, image)
    visible = [file for mount in mounts for file in (mount.files or {}).values()]
    folder = start.main.rpartition("/")[0]
    if not any(file.path.startswith(f"{folder}/") for file in visible) or not (image.nginx or folder == "/etc/nginx"):
        return None
    name = str(container.get("name") or "")
    reader = _Reader(mounts, image, folder, start.unsure)
    broken = None
    try:
        tree = reader.main(start.main)
        broken = reader.unreadable(pod, container) or first_fault(tree)
    except NginxSyntaxError as error:
        tree, broken = (), str(error)
    if not tree and broken is None:
        return None
    root = container_user(pod, container, image).user in (0, None)
    return Nginx(
        name, tree, mounts, worker_of(pod, container, image, tree), reader.assumed, broken and f"whether nginx starts: {broken}", root
    )


def _start(container: Mapping[str, Any], image: Image) -> _Start:
    """What the container's command makes of the image."""
    command = [str(w) for w in _list(container.get("command"))]
    words = command + [str(w) for w in _list(container.get("args"))]
    program = words[0].rpartition("/")[2] if words else "nginx"
    main = image.main
    if program in ("nginx", "nginx-debug", "openresty"):
        main = next((after for word, after in pairwise(words) if word == "-c"), main)
        return _Start(main, None)
    return _Start(main, f"what the container's command `{program}` does before nginx starts")


class _Reader:
    """Reads files of one container, and follows `include`."""

    def __init__(self, mounts: tuple[Mount, ...], image: Image, folder: str, unsure: str | None) -> None:
        self.mounts, self.image, self.folder = mounts, image, folder
        self.assumed = unsure or (None if image.files else f"what image `{image.name}` brings along and how it starts nginx")
        self.read: list[MountedFile] = []
        self.budget = MOST_INCLUDES
        self.depth = 0

    def main(self, path: str) -> tuple[Directive, ...]:
        """The main context; empty where nothing is known of it."""
        mount = holding(self.mounts, path)
        if mount is None:
            text = self.image.files.get(path) or (self.image.usual if path == self.image.main else None)
            return self._expanded(parse(text, path, None)) if text else ()
        file = (mount.files or {}).get(path)
        if file is None or file.text is None:
            return ()
        self.read.append(file)
        return self._expanded(parse(file.text, path, file.source))

    def unreadable(self, pod: Mapping[str, Any], container: Mapping[str, Any]) -> str | None:
        """A configuration file that the user of the container may not read."""
        from meshcheck.decode.processes import may_read

        who = container_user(pod, container, self.image)
        for file in self.read:
            may = may_read(who, file.mode, file.group)
            if may is not True:
                words = "may not read" if may is False else "may perhaps not read"
                return f"{who.why} {words} {file.path} (mode {file.mode:04o}, group {file.group})"
        return None

    def _expanded(self, tree: tuple[Directive, ...]) -> tuple[Directive, ...]:
        out: list[Directive] = []
        for item in tree:
            if item.name == "include" and len(item.args) == 1:
                out += self._included(item)
            elif item.block is not None:
                inner = self._expanded(item.block)
                out.append(Directive(item.name, item.args, inner, item.file, item.line, item.source))
            else:
                out.append(item)
        return tuple(out)

    def _included(self, item: Directive) -> list[Directive]:
        pattern = item.args[0] if item.args[0].startswith("/") else f"{self.folder}/{item.args[0]}"
        self.budget -= 1
        if self.budget < 0 or self.depth == DEEPEST_INCLUDE:
            raise NginxSyntaxError(f"files are included without end ({item.place})")
        self.depth += 1
        found = self._found(item, pattern)
        self.depth -= 1
        return found

    def _found(self, item: Directive, pattern: str) -> list[Directive]:
        if not any(c in pattern for c in "*?["):
            return self._file(pattern, item)
        out: list[Directive] = []
        for unseen in self._unseen(pattern):
            out.append(_missing(item, f"which files of {unseen.what} {pattern} includes ({item.place})"))
        for path in self._matching(pattern):
            out += self._file(path, item)
        return out

    def _file(self, path: str, item: Directive) -> list[Directive]:
        mount = holding(self.mounts, path)
        if mount is None:
            if path in self.image.files:
                return [*self._expanded(parse(self.image.files[path], path, None))]
            if path.rpartition("/")[2] in _HARMLESS:
                return []
            return [_missing(item, f"what {path} of image `{self.image.name}` holds, which {item.place} includes")]
        file = (mount.files or {}).get(path)
        if file is None and mount.files is not None:
            raise NginxSyntaxError(f"{path}, which {item.place} includes, is no key of {mount.what}")
        if file is None or file.text is None:
            return [_missing(item, f"what {path} of {mount.what} holds, which {item.place} includes")]
        self.read.append(file)
        return [*self._expanded(parse(file.text, path, file.source))]

    def _matching(self, pattern: str) -> list[str]:
        """The files that a pattern names, as glob() sorts them; `*` does not match a slash, nor a dot at the start."""
        image = [path for path in self.image.files if holding(self.mounts, path) is None]
        mounted = [path for mount in self.mounts for path in mount.files or () if holding(self.mounts, path) is mount]
        return sorted({path for path in (*image, *mounted) if _fits(pattern, path)})

    def _unseen(self, pattern: str) -> list[Mount]:
        """Mounts of which nobody knows the files, and in which the pattern may find some."""
        parts = pattern.count("/")
        out = []
        for mount in self.mounts:
            depth = mount.path.count("/")
            if mount.files is None and depth <= parts and _fits("/".join(pattern.split("/")[: depth + 1]), mount.path):
                out.append(mount)
        templates = next((m for m in self.mounts if m.path.startswith("/etc/nginx/templates")), None)
        if templates is not None and pattern.startswith("/etc/nginx/conf.d/"):
            out.append(Mount(templates.path, None, f"the templates of {templates.what}, which envsubst fills when the container starts,"))
        return out


_HARMLESS = frozenset(["mime.types", "fastcgi_params", "fastcgi.conf", "scgi_params", "uwsgi_params", "proxy_params", "koi-utf"])
"""Files of nginx's own distribution; none of them refuses anything."""


def _fits(pattern: str, path: str) -> bool:
    wanted, given = pattern.split("/"), path.split("/")
    return len(wanted) == len(given) and all(
        fnmatchcase(g, w) and not (g.startswith(".") and not w.startswith(".")) for w, g in zip(wanted, given)
    )


def _missing(item: Directive, fact: str) -> Directive:
    return Directive("include", (fact,), None, item.file, item.line, item.source)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
