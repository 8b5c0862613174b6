"""TLS settings of servers: of a Gateway's, and of a Sidecar's inbound listeners.

Source: istio/istio:pkg/config/validation/validation.go:validateTLSOptions.
"""

from __future__ import annotations

from typing import Any

from meshcheck.decode.admission.faults import Faults, at
from meshcheck.decode.admission.words import listed

_OWN = ("serverCertificate", "privateKey", "caCertificates", "tlsCertificates", "credentialName", "credentialNames")


def server_tls(tls: dict[str, Any]) -> Faults:
    """Each mode has the certificates that it needs, from one place."""
    mode = tls.get("mode", "PASSTHROUGH")
    if mode == "ISTIO_MUTUAL":
        given = next((field for field in _OWN if tls.get(field)), None)
        return at("ISTIO_MUTUAL uses Istio's own certificates", given) if given else None
    places = [field for field in ("credentialName", "credentialNames", "tlsCertificates") if tls.get(field)]
    if tls.get("serverCertificate") and tls.get("privateKey"):
        places.append("serverCertificate")
    if len(places) > 1:
        return at(f"only one of {listed(places, 'and')} may be set", places[1])
    if mode in ("SIMPLE", "MUTUAL", "OPTIONAL_MUTUAL"):
        if tls.get("credentialName") or tls.get("credentialNames"):
            return None
        if mode != "SIMPLE" and not tls.get("caCertificates"):
            return at(f"{mode} needs the clients' CA: `caCertificates`, or a `credentialName`", "caCertificates")
        for certificate in tls.get("tlsCertificates") or [tls]:
            for field in ("serverCertificate", "privateKey"):
                if not certificate.get(field):
                    return at(f"{mode} needs `{field}`, or a `credentialName`", field)
    if tls.get("caCrl"):
        if tls.get("credentialName"):
            return at("cannot stand beside `credentialName`; put it into the secret", "caCrl")
        if mode == "SIMPLE":
            return at("is not for mode SIMPLE", "caCrl")
    return None
