"""Kubeconfig files as kubectl reads them: put together, one context chosen, and the flags of the command line over it.

The official client does this otherwise where it matters: of several files the last one's `current-context` counts, flags cannot choose
another cluster or user, and `as` is not known. Sources: kubernetes/client-go:tools/clientcmd/loader.go:Load, ResolveLocalPaths;
tools/clientcmd/client_config.go:getContext, getAuthInfo, getCluster; tools/clientcmd/merge.go.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from meshcheck.errors import UnreadableError
from meshcheck.load.cluster.access import Access, Fields, Login
from meshcheck.model.record import value

_DEFAULT = "~/.kube/config"
_FILES_OF_CLUSTER = ("certificate-authority",)
_FILES_OF_USER = ("client-certificate", "client-key", "tokenFile")


@value
class Kubeconfig:
    """All files together: fields by name, the files that were there, and the name of the current context."""

    clusters: Mapping[str, Fields]
    users: Mapping[str, Fields]
    contexts: Mapping[str, Fields]
    current: str
    files: tuple[str, ...]


def paths_of(login: Login) -> tuple[str, ...]:
    """The files that are looked at: that of the flag, those of $KUBECONFIG, or the one in the home folder."""
    if login.kubeconfig:
        return (os.path.expanduser(login.kubeconfig),)
    named = os.environ.get("KUBECONFIG")
    return tuple(os.path.expanduser(p) for p in dict.fromkeys(named.split(os.pathsep)) if p) if named else (os.path.expanduser(_DEFAULT),)


def read_kubeconfig(login: Login) -> Kubeconfig:
    """The files together. Of entries with one name, and of current contexts, the first file's counts. Raises UnreadableError."""
    parts: dict[str, dict[str, Fields]] = {"clusters": {}, "users": {}, "contexts": {}}
    current, files = "", []
    for path in paths_of(login):
        if not os.path.exists(path) and not login.kubeconfig:
            continue
        found = _file(path)
        files.append(path)
        current = current or _text(found.get("current-context"))
        for name, entries in parts.items():
            for key, fields in _entries(found, name, path):
                entries.setdefault(key, fields)
    return Kubeconfig(parts["clusters"], parts["users"], parts["contexts"], current, tuple(files))


def choose(found: Kubeconfig, login: Login) -> Access:
    """The context, cluster and user that files and flags name. Raises UnreadableError where one of them does not exist."""
    files = ", ".join(f"`{file}`" for file in found.files) or "no kubeconfig"
    name = login.context or found.current
    context = found.contexts.get(name, {})
    if name and name not in found.contexts and (login.context or not (login.cluster or login.server)):
        origin = "" if login.context else " (its `current-context`)"
        raise UnreadableError(f"{files}: no context `{name}`{origin}{_choice('contexts', name, found.contexts, '--context')}")
    cluster_name, user_name = login.cluster or _text(context.get("cluster")), login.user or _text(context.get("user"))
    for flag, kind, wanted, there in (
        ("cluster", "clusters", cluster_name, found.clusters),
        ("user", "users", user_name, found.users),
    ):
        if wanted and wanted not in there and not (kind == "clusters" and login.server and not login.cluster):
            origin = "" if getattr(login, flag) else f" (named by context `{name}`)"
            raise UnreadableError(f"{files}: no {flag} `{wanted}`{origin}{_choice(kind, wanted, there, f'--{flag}')}")
    namespace = _text(context.get("namespace")) or None
    cluster = _cluster_with_flags(found.clusters.get(cluster_name, {}), login)
    return Access(cluster, with_flags(found.users.get(user_name, {}), login), user_name, namespace, files)


def contexts_in_words(found: Kubeconfig) -> str:
    """The contexts that there are, for a message."""
    return ", ".join(f"`{name}`" for name in found.contexts) or "none"


def _cluster_with_flags(fields: Fields, login: Login) -> Fields:
    out = dict(fields)
    if login.server:
        out["server"] = login.server
        out.pop("tls-server-name", None)  # it belongs to the server that the file names
    if login.tls_server_name:
        out["tls-server-name"] = login.tls_server_name
    if login.insecure or login.certificate_authority:
        for name in ("certificate-authority", "certificate-authority-data", "insecure-skip-tls-verify"):
            out.pop(name, None)
        out |= {"insecure-skip-tls-verify": True} if login.insecure else {}
        out |= {"certificate-authority": login.certificate_authority} if login.certificate_authority else {}
    if login.proxy_url:
        out["proxy-url"] = login.proxy_url
    return out


def with_flags(fields: Fields, login: Login) -> Fields:
    """The fields of a user, and over them what the flags say of one."""
    out = dict(fields)
    for name, given in (("client-certificate", login.client_certificate), ("client-key", login.client_key)):
        if given:
            out.pop(f"{name}-data", None)
            out[name] = given
    if login.token:
        out["token"] = login.token
        out.pop("tokenFile", None)  # in kubectl the file wins here, which nobody expects who types a token
    extra: dict[str, list[str]] = {}
    for key, one in login.as_extra:
        extra.setdefault(key, []).append(one)
    told = {
        "username": login.username,
        "password": login.password,
        "as": login.as_user,
        "as-uid": login.as_uid,
        "as-groups": list(login.as_groups),
        "as-user-extra": {**(out.get("as-user-extra") or {}), **extra},
    }
    return out | {name: given for name, given in told.items() if given}


# ---- one file ----


def _file(path: str) -> Fields:
    from meshcheck.load import exact_yaml
    from meshcheck.load.encoding import decoded

    try:
        found = exact_yaml.read(decoded(Path(path).read_bytes()))
    except FileNotFoundError:
        raise UnreadableError(f"there is no kubeconfig at `{path}` (`--kubeconfig`)") from None
    except OSError as error:
        raise UnreadableError(f"kubeconfig `{path}` cannot be read: {(error.strerror or str(error)).lower()}") from None
    except UnreadableError as error:
        raise UnreadableError(f"kubeconfig `{path}`: {error}") from None
    if found is not None and not isinstance(found, dict):
        raise UnreadableError(f"`{path}` is no kubeconfig: clusters, users and contexts are expected in it")
    return found or {}


def _entries(found: Fields, name: str, path: str) -> Iterable[tuple[str, Fields]]:
    """(name, fields) of each entry of a list, with paths made absolute: they are meant from the file's folder."""
    listed = found.get(name)
    if listed is not None and not isinstance(listed, list):
        raise UnreadableError(f"kubeconfig `{path}`: `{name}` must be a list")
    singular = name.removesuffix("s")
    for item in listed or ():
        fields = (item.get(singular) or {}) if isinstance(item, dict) else None
        if not isinstance(item, dict) or not isinstance(item.get("name"), str) or not isinstance(fields, dict):
            raise UnreadableError(f"kubeconfig `{path}`: each of `{name}` needs a `name` and a mapping `{singular}`")
        yield item["name"], _with_paths(fields, os.path.dirname(os.path.abspath(path)))


def _with_paths(fields: Fields, folder: str) -> Fields:
    out = dict(fields)
    for name in (*_FILES_OF_CLUSTER, *_FILES_OF_USER):
        if isinstance(out.get(name), str) and out[name]:
            out[name] = os.path.join(folder, out[name])
    plugin = out.get("exec")
    if isinstance(plugin, dict) and isinstance(plugin.get("command"), str) and os.sep in plugin["command"]:
        out["exec"] = {**plugin, "command": os.path.join(folder, plugin["command"])}
    return out


def _choice(kind: str, wanted: str, there: Mapping[str, object], flag: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(wanted, there, 1)
    if near:
        return f"; did you mean `{near[0]}`?"
    return f"; {flag} can be {', '.join(f'`{name}`' for name in there)}" if there else f": it has no {kind}"


def _text(found: Any) -> str:
    return found if isinstance(found, str) else ""
