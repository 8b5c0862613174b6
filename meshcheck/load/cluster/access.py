"""Who asks which cluster, and the way in that comes of it: what flags say, and what files and flags make together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshcheck.model.record import value

Fields = Mapping[str, Any]


@value
class Login:
    """Who asks which cluster: kubectl's flags. Empty fields are left to the kubeconfig."""

    context: str | None = None
    kubeconfig: str | None = None
    cluster: str | None = None
    user: str | None = None
    server: str | None = None
    as_user: str | None = None
    as_uid: str | None = None
    as_groups: tuple[str, ...] = ()
    as_extra: tuple[tuple[str, str], ...] = ()
    """(key, value); a key may come more than once."""
    token: str | None = None
    username: str | None = None
    password: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None
    certificate_authority: str | None = None
    insecure: bool = False
    tls_server_name: str | None = None
    proxy_url: str | None = None
    timeout: float = 30.0
    """Seconds for one request."""


@value
class Access:
    """The way into one cluster that files and flags make together. Names are empty where nothing is named."""

    cluster: Fields
    user: Fields
    user_name: str
    namespace: str | None
    files: str
    """The files in words, for messages."""
