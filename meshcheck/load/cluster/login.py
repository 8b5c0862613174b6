"""How to get into a cluster, as kubectl does: kubeconfig, flags, plugins, proxies; or the account of the pod.

The official client brings connections, certificates and OIDC; what it does otherwise than kubectl is in the modules beside this one.
Requests themselves are made in `api.py`, on its connection pool.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meshcheck.errors import MeshcheckError, UnreadableError, UsageError
from meshcheck.load.cluster.access import Access, Login
from meshcheck.load.cluster.impersonation import headers_of
from meshcheck.load.cluster.kubeconfig import choose, contexts_in_words, paths_of, read_kubeconfig, with_flags

if TYPE_CHECKING:
    from meshcheck.load.cluster.api import Api

_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
INSTALL = "pip install 'meshcheck[cluster]'"


def connect(login: Login) -> Api:
    """An API server to ask. Raises UnreadableError when there is no way in, MeshcheckError when the client library is missing."""
    access = _access(login)
    if not login.as_user and (access is None or not access.user.get("as")) and (login.as_groups or login.as_uid or login.as_extra):
        raise UsageError("a group, a UID and extras go with a user: say `--as` as well")
    client, config = _library(login)
    from meshcheck.load.cluster.api import Api
    from meshcheck.load.cluster.connection import Connection, pod_client

    if access is None:
        return Api(lambda: pod_client(client, config, login), headers_of(with_flags({}, login)), login.timeout, where(login))
    found = Connection(client, config, access)
    return Api(found.make, headers_of(access.user), login.timeout, where(login), found.is_stale, found.why_unknown, found.through)


def where(login: Login) -> str:
    """The cluster in words, for messages."""
    if login.context:
        return f"context `{login.context}`"
    if login.server or login.cluster:
        return f"`--server {login.server}`" if login.server else f"`--cluster {login.cluster}`"
    return "the cluster of this pod" if _access_or_none(login) is None and _has_account() else "the current context"


def default_namespace(login: Login) -> str | None:
    """The namespace that kubectl would use: that of the context or of the pod; None where neither says one."""
    try:
        access = _access(login)
    except MeshcheckError:  # whatever is wrong with the files, `connect` says it
        return None
    if access is not None:
        return access.namespace
    try:
        return os.environ.get("POD_NAMESPACE") or (_ACCOUNT / "namespace").read_text(encoding="utf-8").strip() or None
    except OSError:
        return None


def is_nowhere(login: Login) -> bool:
    """Whether nothing says where a cluster is: no file, no flag, no account of a pod."""
    return not (login.server or _has_account() or any(os.path.exists(path) for path in paths_of(login)))


def _access(login: Login) -> Access | None:
    """What files and flags say; None for the account of the pod, which is used where they name no server, as kubectl does."""
    found = read_kubeconfig(login)
    access = choose(found, login)
    if access.cluster.get("server"):
        return access
    if _has_account():
        return None
    if not found.files:
        raise UnreadableError(
            f"no source given, and no cluster: there is no kubeconfig at `{os.pathsep.join(paths_of(login))}`"
            " (name manifests with `-f PATH`, `-k DIR`, `--helm CHART` or `--snapshot FILE`, or a cluster with `--kubeconfig FILE`)"
        )
    if not (login.context or found.current or login.cluster):
        raise UnreadableError(f"{access.files}: no current context: choose one with `--context` ({contexts_in_words(found)})")
    raise UnreadableError(f"{access.files}: the cluster names no `server`: name one with `--server`")


def _access_or_none(login: Login) -> Access | None:
    try:
        return _access(login)
    except MeshcheckError:
        return None


def _has_account() -> bool:
    return bool(os.environ.get("KUBERNETES_SERVICE_HOST")) and (_ACCOUNT / "token").exists()


def _library(login: Login) -> tuple[Any, Any]:
    try:
        from kubernetes import client, config
    except ImportError:
        needs = f"reading a cluster needs the Kubernetes client: `{INSTALL}`"
        named = login.context or login.kubeconfig or login.cluster or login.server
        raise MeshcheckError(needs if named else f"no source given: name manifests with `-f PATH`; {needs}") from None
    return client, config
