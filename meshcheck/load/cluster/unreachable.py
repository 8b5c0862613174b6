"""Connections that fail, in words: what passes with patience, and what does not."""

from __future__ import annotations

import re

_LASTING = (
    (
        r"certificate_verify_failed.*(?:hostname|ip address) mismatch, (certificate is not valid for '[^']*')",
        "its {0}: say with `--tls-server-name` for which name it is",
    ),
    (
        r"certificate_verify_failed.*certificate has expired",
        "its certificate has expired (or the clock of this machine is wrong): it has to be renewed on the server",
    ),
    (
        r"certificate_verify_failed.*(?:self.signed|issuer certificate|certificate chain)",
        "its certificate is not signed by the authority of the kubeconfig: is the kubeconfig of this cluster, as it is now?"
        " `--certificate-authority FILE` names another",
    ),
    (r"certificate_verify_failed[^:]*: (.*)", "its certificate is not accepted: {0}"),
    (r"wrong.version.number|record_layer|http.request", "it speaks no TLS there: is it the right port, or an http:// address?"),
    (
        r"alert (?:bad |unknown |expired )?(certificate[a-z ]*|access denied)",
        "it does not accept the client certificate ({0}): log in again",
    ),
    (r"tunnel connection failed: (4\d\d[^')\"]*)", "the proxy refuses ({0}): it wants a user and a password in its URL, or another proxy"),
)


def words(error: Exception) -> str:
    """The cause of a failed connection without the library's names of objects."""
    inner = getattr(error, "reason", None) or error
    for _ in range(3):  # an error of a proxy holds that of the connection to it
        inner = getattr(inner, "original_error", None) or inner
    text = re.sub(r"^(?:[A-Za-z]*HTTPS?Connection(?:Pool)?\([^)]*\)|<[^>]*>): ", "", str(inner)).rstrip(".").lower()
    return re.sub(r"^\[[^]]*\] ?| ?\(_ssl\.c:\d+\)", "", text) if text.startswith("[ssl") else text


def lasting(error: Exception) -> str | None:
    """What is wrong and what to do, where waiting changes nothing; None elsewhere."""
    text = str(error).lower().replace('"', "'")
    for pattern, said in _LASTING:
        if found := re.search(pattern, text, re.DOTALL):
            parts = [re.sub(r" ?\(_ssl\.c:\d+\)|[.')]+$", "", part or "").strip() for part in found.groups()]
            return said.format(*(part + ("'" if part.count("'") % 2 else "") for part in parts))
    return None
