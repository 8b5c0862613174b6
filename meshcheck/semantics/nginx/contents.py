"""What answers in a location: a server behind nginx, or a file.

Sources: nginx/nginx:src/http/modules/ngx_http_static_module.c, ngx_http_index_module.c, ngx_http_try_files_module.c, and
ngx_http_core_module.c (ngx_http_core_content_phase).
"""

from __future__ import annotations

from meshcheck.decode.processes import may_read
from meshcheck.model.nginx import Directive
from meshcheck.semantics.nginx import files
from meshcheck.semantics.nginx.levels import Level
from meshcheck.semantics.nginx.locations import PASSING, name_of
from meshcheck.semantics.nginx.run import Answer, Run
from meshcheck.semantics.nginx.variables import Unsure, expand

_ANSWERING = ("stub_status", "empty_gif", "mp4", "flv")


class Elsewhere(Exception):
    """The request goes on with another URI, or in a location with a name."""

    def __init__(self, uri: str, by: Directive) -> None:
        super().__init__(uri)
        self.uri, self.by = uri, by


def content(run: Run, level: Level) -> Answer:
    """The answer of a location's content handler. Raises Elsewhere."""
    handler = _handler(level)
    if handler is not None:
        return Answer(None, f"`{handler}`", handler)
    return _file(run, level)


def _handler(level: Level) -> Directive | None:
    """A location's own handler; blocks of `if` and `limit_except` have that of their location."""
    found = level.own(*PASSING, *_ANSWERING)
    if found:
        return found[-1]
    inner = level.directive is not None and level.directive.name in ("if", "limit_except")
    return _handler(level.parent) if inner and level.parent is not None else None


def _path(run: Run, level: Level, uri: str) -> str | None:
    """The file of a URI; None where the input does not say."""
    for outer in level.upwards():
        found = outer.own("alias", "root")
        if not found:
            continue
        base = expand(run, found[-1].args[0]) if found[-1].args else ""
        if isinstance(base, Unsure) or not base.startswith("/"):
            return None
        if found[-1].name == "root":
            return base.rstrip("/") + uri
        name = name_of(outer.directive) if outer.directive is not None else None
        if name is None or name.kind in ("~", "~*"):
            return base
        return base + uri[len(name.text) :] if uri.startswith(name.text) else None
    return None


def _file(run: Run, level: Level) -> Answer:
    uri, where = run.uri, run.location
    method = level.directive if level.directive is not None else where
    if run.method not in ("GET", "HEAD", "POST") and not level.setting("dav_methods"):
        return Answer(405, f"nginx serves files to GET and HEAD only; the call has {run.method}", method)
    path = _path(run, level, uri)
    if uri.endswith("/"):
        return _folder(run, level, path)
    if path is None:
        return Answer(None, "a file", where)
    posted = Answer(405, "nginx serves files to GET and HEAD only; the call has POST", method) if run.method == "POST" else None
    found = files.file_at(run.nginx.mounts, path)
    if found is not None:
        served = _served(run, path, where)
        return posted if posted is not None and served.status is None else served
    if files.there(run.nginx.mounts, path, "d"):
        return Answer(301, f"{path} is a folder", where)
    if files.there(run.nginx.mounts, path) is False:
        mount = files.mount_of(run.nginx.mounts, path)
        return Answer(404, f"{path} is no key of {mount.what if mount else ''}", where)
    return posted or _unseen(run, path, where)


def _served(run: Run, path: str, by: Directive | None) -> Answer:
    found = files.file_at(run.nginx.mounts, path)
    assert found is not None
    who = run.nginx.worker
    may = may_read(who, found.mode, found.group)
    if may is None:
        may = run.supposing.ask(f"{who.why}, and so whether it may read {path} (mode {found.mode:04o})")
    if may:
        return Answer(None, f"the file {path}", by)
    return Answer(403, f"{who.why} may not read {path} (mode {found.mode:04o}, group {found.group})", by, found.source)


def _unseen(run: Run, path: str, by: Directive | None) -> Answer:
    """A file of which the input shows nothing, except perhaps that nobody may read it."""
    mount = files.mount_of(run.nginx.mounts, path)
    who = run.nginx.worker
    if mount is not None and mount.mode is not None and may_read(who, mount.mode, mount.group) is not True:
        if run.supposing.ask(f"whether {who.why} may read {path} of {mount.what} (mode {mount.mode:04o})"):
            return Answer(None, f"the file {path}", by)
        return Answer(403, f"{who.why} may not read {path} of {mount.what} (mode {mount.mode:04o})", by)
    return Answer(None, f"the file {path}", by)


def _folder(run: Run, level: Level, path: str | None) -> Answer:
    """A URI with a slash at the end: the first index file that is there."""
    if path is None:
        return Answer(None, "a folder", run.location)
    index = level.last("index")
    names = [name for item in level.setting("index") for name in item.args] or ["index.html"]
    for name in names:
        value = expand(run, name)
        if isinstance(value, Unsure):
            return Answer(None, f"the folder {path}", run.location)
        at = value if value.startswith("/") else path + value
        found = files.there(run.nginx.mounts, at, "f") if not value.startswith("/") else None
        if found is None:
            return Answer(None, f"the folder {path}", run.location)
        if found:
            raise Elsewhere(run.uri + value, index or _some(run, level))
        if files.there(run.nginx.mounts, path, "d") is False:
            return Answer(404, f"there is no folder {path}", run.location)
    autoindex = level.last("autoindex")
    if autoindex is not None and autoindex.args == ("on",) and run.method in ("GET", "HEAD"):
        return Answer(None, f"the list of {path}", autoindex)
    mount = files.mount_of(run.nginx.mounts, path.rstrip("/"))
    words = f"{path} has no index file ({', '.join(names)} in {mount.what if mount else 'the image'}), and lists are off"
    return Answer(403, words, index or run.location)


def _some(run: Run, level: Level) -> Directive:
    found = run.location or level.directive
    assert found is not None
    return found


def try_files(run: Run, level: Level) -> Answer | None:
    """What `try_files` makes of the request; None without one, or when the URI is now that of a file. Raises Elsewhere.

    A file of the image is taken to be there where the alternative is only a status: which files an image holds is not nginx's choice.
    """
    own = level.own("try_files")
    if not own or len(own[-1].args) < 2:
        return None
    item = own[-1]
    *tests, last = item.args
    for test in tests:
        name = expand(run, test)
        path = None if isinstance(name, Unsure) else _path(run, level, name)
        folder = test.endswith("/")
        found = None if path is None else files.there(run.nginx.mounts, path, "d" if folder else "f")
        if found is None:
            if last.startswith("="):
                return Answer(None, f"`{item}`", item)
            found = run.supposing.ask(f"whether there is a {'folder' if folder else 'file'} {path or test} ({item.place})")
            if found:
                return Answer(None, f"`{item}`", item)
        if found and not isinstance(name, Unsure):
            run.uri = name
            return None
    if last.startswith("="):
        return Answer(int(last[1:]) if last[1:].isdigit() else 404, f"`{item}`", item)
    target = expand(run, last)
    if isinstance(target, Unsure):
        return Answer(None, f"`{item}`", item)
    raise Elsewhere(target, item)
