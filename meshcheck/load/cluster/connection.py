"""The official client, told what files and flags say: connections with their certificates, credentials that are renewed, a proxy.

Source: kubernetes/client-go:tools/clientcmd/client_config.go:getUserIdentificationPartialConfig; transport/token_source.go (files of tokens
are read again every minute); plugin/pkg/client/auth/exec/exec.go:UpdateTransportConfig (plugins are asked where nothing else is given).
"""

from __future__ import annotations

import base64
import os
import ssl
import time
from typing import Any
from urllib.parse import urlsplit

from meshcheck.errors import MeshcheckError, UnreadableError
from meshcheck.load.cluster.access import Access, Login
from meshcheck.load.cluster.egress_proxy import EgressProxy, proxy_for
from meshcheck.load.cluster.exec_plugin import ExecPlugin

_TOKEN_AGE = 60.0
"""Seconds after which a file with a token is read again."""
_STATIC = ("token", "tokenFile", "username", "password", "client-certificate", "client-certificate-data")
_PLAIN = ("username", "password", "client-certificate", "client-certificate-data", "client-key", "client-key-data")
_REPLACED = {
    "gcp": "`gke-gcloud-auth-plugin` (`gcloud container clusters get-credentials` writes it into the kubeconfig)",
    "azure": "`kubelogin` (`kubelogin convert-kubeconfig` writes it into the kubeconfig)",
}


class Connection:
    """Makes clients for one way into a cluster."""

    def __init__(self, client: Any, config: Any, access: Access) -> None:
        self._client, self._config, self._access = client, config, access
        self._server = _with_scheme(access)
        self._where = f"user `{access.user_name}` of {access.files}" if access.user_name else f"the user of {access.files}"
        self._proxy = proxy_for(self._server, str(access.cluster.get("proxy-url") or ""), os.environ)
        self.through = f", through {self._proxy.url} ({self._proxy.named_by})," if self._proxy else ""
        plugin = access.user.get("exec")
        asked = isinstance(plugin, dict) and not any(access.user.get(name) for name in _STATIC)
        self._plugin = ExecPlugin(plugin, {**access.cluster, "server": self._server}, self._where) if asked and plugin else None
        self._read = 0.0

    def make(self) -> Any:
        """A client with credentials as they are now. Raises UnreadableError."""
        made = self._client.Configuration()
        made.proxy = made.no_proxy = None
        user = self._user()
        self._check_files(user)
        values = {
            "current-context": "it",
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
            "clusters": [{"name": "it", "cluster": {**self._access.cluster, "server": self._server, "proxy-url": ""}}],
            "users": [{"name": "it", "user": user}],
        }
        try:
            self._config.load_kube_config_from_dict(values, client_configuration=made, persist_config=False)
        except MeshcheckError:
            raise
        except Exception as error:  # no base64, a provider that cannot be reached: whatever the library meets
            raise UnreadableError(f"{self._where} cannot be used: {_plain(error)}") from None
        if self._access.user.get("tokenFile"):
            made.refresh_api_key_hook = self._renew_token
        if self._proxy is not None:
            _through(self._proxy, made)
        self._check_certificates(made)
        client = self._client.ApiClient(made)
        _trust_as_go_does(client, made)
        return client

    def is_stale(self) -> bool:
        """Whether what a plugin gave has run out."""
        last = self._plugin.last if self._plugin else None
        return last is not None and last.have_expired

    def why_unknown(self) -> str:
        """What is known about credentials that the server does not accept; empty when nothing is."""
        from meshcheck.load.cluster.expiry import certificate_end, token_end

        user = self._access.user
        last = self._plugin.last if self._plugin else None
        token = last.token if last else str(user.get("token") or "")
        if token and (end := token_end(token)):
            return f"the token of {self._where} ran out at {end}"
        if certificate := last.certificate.encode() if last and last.certificate else self._certificate():
            end = certificate_end(certificate)
            return f"the client certificate of {self._where} ran out at {end}" if end else ""
        return ""

    # ---- credentials ----

    def _user(self) -> dict[str, Any]:
        """The user for the official client: what a plugin or a file gives now stands in it."""
        given = self._access.user
        if urlsplit(self._server).scheme == "http":
            return {}  # kubectl tells nobody a secret without TLS
        out = {name: given[name] for name in _PLAIN if given.get(name)}
        provider = given.get("auth-provider")
        if self._plugin is not None:
            found = self._plugin.credentials()
            pairs = (("client-certificate-data", found.certificate), ("client-key-data", found.key))
            out |= {name: base64.b64encode(text.encode()).decode() for name, text in pairs if text}
            out |= {"token": _sendable(found.token, self._where)} if found.token else {}
        elif given.get("tokenFile"):
            out["token"] = self._token_of_file()  # also where a token stands beside it, which kubectl does not say anywhere
        elif given.get("token"):
            out["token"] = _sendable(str(given["token"]), self._where)
        elif isinstance(provider, dict):
            out["auth-provider"] = self._provider(provider)
        if not out:  # kubectl asks for a name and a password here, which API servers take no more
            raise UnreadableError(f"{self._where} holds no credentials: name another with `--user`, or give a `--token`")
        return out

    def _provider(self, provider: dict[str, Any]) -> dict[str, Any]:
        name = provider.get("name")
        if name == "oidc":
            return provider
        instead = _REPLACED.get(str(name), "an `exec` plugin")
        raise UnreadableError(f"{self._where}: auth provider `{name}` was taken out of Kubernetes in 1.26: use {instead}")

    def _token_of_file(self) -> str:
        path = self._access.user["tokenFile"]
        try:
            with open(path, encoding="utf-8") as stream:
                token = stream.read().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UnreadableError(f"{self._where}: `tokenFile` {path} cannot be read: {_plain(error)}") from None
        if not token:
            raise UnreadableError(f"{self._where}: `tokenFile` {path} is empty")
        self._read = time.monotonic()
        return _sendable(token, self._where)

    def _renew_token(self, made: Any) -> None:
        if time.monotonic() - self._read > _TOKEN_AGE:
            try:
                made.api_key["BearerToken"] = f"Bearer {self._token_of_file()}"
            except UnreadableError:
                self._read = time.monotonic()  # the last one may still do; kubectl goes on with it, too

    # ---- what would fail later, and then be harder to understand ----

    def _check_files(self, user: dict[str, Any]) -> None:
        for fields, name, whose in (
            (self._access.cluster, "certificate-authority", f"the cluster of {self._access.files}"),
            (user, "client-certificate", self._where),
            (user, "client-key", self._where),
        ):
            path = fields.get(name)
            if not path or fields.get(f"{name}-data"):
                continue
            try:
                with open(path, "rb"):
                    pass
            except OSError as error:
                raise UnreadableError(f"{whose}: `{name}` {path} cannot be read: {(error.strerror or str(error)).lower()}") from None
        if any(user.get(f"client-certificate{end}") for end in ("", "-data")) != any(user.get(f"client-key{end}") for end in ("", "-data")):
            raise UnreadableError(f"{self._where}: a `client-certificate` and its `client-key` go together, and one of them is missing")

    def _check_certificates(self, made: Any) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if made.ssl_ca_cert and made.verify_ssl:
            try:
                context.load_verify_locations(made.ssl_ca_cert)
            except (ssl.SSLError, OSError):
                raise UnreadableError(f"the cluster of {self._access.files}: `certificate-authority` holds no certificate (PEM)") from None
        if made.cert_file:
            try:
                context.load_cert_chain(made.cert_file, made.key_file, password=self._encrypted)
            except ssl.SSLError as error:
                what = "do not belong together" if "MISMATCH" in str(error).upper() else "cannot be used (PEM is wanted)"
                raise UnreadableError(f"{self._where}: `client-certificate` and `client-key` {what}") from None

    def _encrypted(self) -> str:
        raise UnreadableError(f"{self._where}: `client-key` is encrypted, which kubectl does not read either: give it without a passphrase")

    def _certificate(self) -> bytes:
        data, path = self._access.user.get("client-certificate-data"), self._access.user.get("client-certificate")
        try:
            if data:
                return base64.b64decode(data)
            if path:
                with open(path, "rb") as stream:
                    return stream.read()
        except (OSError, ValueError):
            pass
        return b""


def pod_client(client: Any, config: Any, login: Login) -> Any:
    """A client with the account of the pod; a token and an authority of the command line go before its own."""
    made = client.Configuration()
    try:
        config.load_incluster_config(made)
    except (config.ConfigException, OSError) as error:
        raise UnreadableError(f"the account of this pod cannot be used: {_plain(error)}") from None
    made.proxy = made.no_proxy = None
    if proxy := proxy_for(made.host, "", os.environ):
        _through(proxy, made)
    if login.token:
        made.refresh_api_key_hook = None
        made.api_key["BearerToken"] = f"Bearer {_sendable(login.token, '`--token`')}"
    if login.certificate_authority:
        made.ssl_ca_cert = login.certificate_authority
    found = client.ApiClient(made)
    _trust_as_go_does(found, made)
    return found


def _with_scheme(access: Access) -> str:
    server = str(access.cluster["server"])
    if "://" not in server:
        names = ("certificate-authority", "certificate-authority-data", "insecure-skip-tls-verify")
        named = any(access.cluster.get(name) for name in names)
        server = f"{'https' if named else 'http'}://{server}"
    found = urlsplit(server)
    try:
        usable = found.scheme in ("http", "https") and bool(found.hostname) and found.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise UnreadableError(f"{access.files}: `{server}` is no address of an API server: write https://HOST:PORT")
    return server.rstrip("/")


def _through(proxy: EgressProxy, made: Any) -> None:
    import urllib3

    made.proxy = proxy.url
    if proxy.url.startswith("socks"):
        try:
            import socks  # noqa: F401
        except ImportError:
            raise MeshcheckError(f"{proxy.named_by} is a SOCKS proxy, which needs `pip install pysocks`") from None
        if proxy.credentials:
            from urllib.parse import quote

            name, _, password = proxy.credentials.partition(":")
            made.proxy = proxy.url.replace("://", f"://{quote(name, '')}:{quote(password, '')}@", 1)
    elif proxy.credentials:
        made.proxy_headers = urllib3.make_headers(proxy_basic_auth=proxy.credentials)


def _trust_as_go_does(client: Any, made: Any) -> None:
    """Certificates of clusters that kubectl accepts: Python 3.13 wants fields that many of them lack, and roots that sign themselves."""
    import urllib3
    from urllib3.util.ssl_ import create_urllib3_context

    context = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED if made.verify_ssl else ssl.CERT_NONE)
    context.verify_flags = (context.verify_flags | ssl.VERIFY_X509_PARTIAL_CHAIN) & ~ssl.VERIFY_X509_STRICT
    if not made.verify_ssl:
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)  # it was asked for
    elif not made.ssl_ca_cert:
        context.load_default_certs()
    client.rest_client.pool_manager.connection_pool_kw["ssl_context"] = context


def _sendable(token: str, where: str) -> str:
    if not token.isascii() or not token.isprintable():
        raise UnreadableError(f"{where}: the token holds characters that no token has: was it copied whole?")
    return token


def _plain(error: Exception) -> str:
    text = str(getattr(error, "strerror", None) or error).strip().rstrip(".")
    return (text[:1].lower() + text[1:]).replace("\n", " ") if text else type(error).__name__
