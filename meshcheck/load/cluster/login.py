"""How to get into a cluster, as kubectl does: kubeconfig with contexts, exec plugins and tokens; or the account of the pod.

The official client reads all that; requests themselves are made in `api.py`, on its connection pool.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meshcheck.errors import MeshcheckError, UnreadableError
from meshcheck.model.record import value

if TYPE_CHECKING:
    from meshcheck.load.cluster.api import Api

_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
INSTALL = "pip install 'meshcheck[cluster]'"


@value
class Login:
    """Who asks which cluster. Empty fields are left to the kubeconfig."""

    context: str | None = None
    kubeconfig: str | None = None
    as_user: str | None = None
    as_groups: tuple[str, ...] = ()
    timeout: float = 30.0
    """Seconds for one request."""


def connect(login: Login) -> Api:
    """An API server to ask. Raises UnreadableError when there is no way in, MeshcheckError when the client library is missing."""
    client, config = _library(login)
    from meshcheck.load.cluster.api import Api

    def configuration() -> Any:
        made = client.Configuration()
        if _in_cluster(login):
            try:
                config.load_incluster_config(made)
            except config.ConfigException as error:
                raise UnreadableError(f"the account of this pod cannot be used: {_plain(error)}") from None
        else:
            _load_kubeconfig(config, login, made)
        return made

    headers: dict[str, Any] = {}
    if login.as_user:
        headers["Impersonate-User"] = login.as_user
    if login.as_groups:
        headers["Impersonate-Group"] = login.as_groups
    return Api(lambda: client.ApiClient(configuration()), headers, login.timeout, where(login))


def where(login: Login) -> str:
    """The cluster in words, for messages."""
    if _in_cluster(login):
        return "the cluster of this pod"
    return f"context `{login.context}`" if login.context else "the current context"


def default_namespace(login: Login) -> str | None:
    """The namespace that kubectl would use: that of the context or of the pod; None where neither says one."""
    if _in_cluster(login):
        try:
            return (_ACCOUNT / "namespace").read_text(encoding="utf-8").strip() or None
        except OSError:
            return None
    _, config = _library(login)
    try:
        contexts, active = config.list_kube_config_contexts(config_file=login.kubeconfig)
    except Exception:  # whatever is wrong with the file, `connect` says it
        return None
    if login.context:
        active = next((c for c in contexts if c.get("name") == login.context), None)
    found = ((active or {}).get("context") or {}).get("namespace")
    return found if isinstance(found, str) else None


def _in_cluster(login: Login) -> bool:
    """As kubectl: a kubeconfig goes first, the pod's account is used where there is none."""
    if login.kubeconfig or login.context or os.environ.get("KUBECONFIG"):
        return False
    if Path("~/.kube/config").expanduser().exists():
        return False
    return "KUBERNETES_SERVICE_HOST" in os.environ and (_ACCOUNT / "token").exists()


def _load_kubeconfig(config: Any, login: Login, made: Any) -> None:
    paths = login.kubeconfig or os.environ.get("KUBECONFIG") or "~/.kube/config"
    present = [p for p in paths.split(os.pathsep) if p and Path(p).expanduser().exists()]
    if not present:
        raise UnreadableError(
            f"no source given, and no cluster: there is no kubeconfig at `{paths}`"
            " (name manifests with `-f PATH`, `-k DIR`, `--helm CHART` or `--snapshot FILE`, or a cluster with `--kubeconfig FILE`)"
        )
    try:
        config.load_kube_config(
            config_file=os.pathsep.join(str(Path(p).expanduser()) for p in present),
            context=login.context,
            client_configuration=made,
            persist_config=False,
        )
    except config.ConfigException as error:
        raise UnreadableError(f"`{paths}`: {_plain(error)}") from None
    except Exception as error:  # an unreadable file, broken YAML, a certificate that is no base64: whatever the library meets
        raise UnreadableError(f"`{paths}` cannot be used: {type(error).__name__}: {_plain(error)}") from None


def _library(login: Login) -> tuple[Any, Any]:
    try:
        from kubernetes import client, config
    except ImportError:
        needs = f"reading a cluster needs the Kubernetes client: `{INSTALL}`"
        named = login.context or login.kubeconfig
        raise MeshcheckError(needs if named else f"no source given: name manifests with `-f PATH`; {needs}") from None
    return client, config


def _plain(error: Exception) -> str:
    text = str(error).strip().rstrip(".")
    return (text[:1].lower() + text[1:]).replace("\n", " ") if text else type(error).__name__
