"""What the caller sees of a refusal.

Source: Envoy's local replies; the texts are those of envoyproxy/envoy:source/common/http/utility.cc and the filters.
"""

from __future__ import annotations

from meshcheck.model.trace import Symptom

RBAC_BODY = "RBAC: access denied"
_UPSTREAM = "upstream connect error or disconnect/reset before headers. "

FORBIDDEN = Symptom("http", 403, RBAC_BODY)
RESET = Symptom("reset")
TIMEOUT = Symptom("timeout")
REFUSED = Symptom("refused")
TLS_FAILURE = Symptom("tls")
DNS_FAILURE = Symptom("dns")
REACHED = Symptom("http", None)
BAD_PATH = Symptom("http", 400, "")
BAD_REQUEST = Symptom("http", 400, "Bad Request")
BLOCKED = Symptom("http", 502, "")
NO_ROUTE = Symptom("http", 404, "")
NO_CLUSTER = Symptom("http", 503, "")
MISDIRECTED = Symptom("http", 421, "")
NO_BACKEND = Symptom("http", 500, "")
NO_ENDPOINT = Symptom("http", 503, "no healthy upstream")


def gateway_error(reason: str) -> Symptom:
    """The 503 that a proxy in front makes of a failed connection; `reason` in Envoy's words."""
    return Symptom("http", 503, f"{_UPSTREAM}reset reason: {reason}")


def through_client_proxy(symptom: Symptom) -> Symptom:
    """What becomes of a failure on the wire when an HTTP proxy stands between it and the caller."""
    if symptom.kind == "timeout":
        return gateway_error("connection timeout")
    if symptom.kind == "tls":
        return gateway_error("remote connection failure, transport failure reason: TLS_error")
    if symptom.kind == "reset":
        return gateway_error("connection termination")
    if symptom.kind == "refused":
        return gateway_error("remote connection failure, transport failure reason: delayed connect error: Connection refused")
    return symptom


def through_proxy(symptom: Symptom, proxy: str) -> Symptom:
    """The same for a proxy by name: nginx says 502, and 504 where nobody answers."""
    if proxy != "nginx" or symptom.kind == "http":
        return through_client_proxy(symptom)
    return NGINX_TIMEOUT if symptom.kind == "timeout" else NGINX_BAD_GATEWAY


NGINX_BAD_GATEWAY = Symptom("http", 502, "Bad Gateway")
NGINX_TIMEOUT = Symptom("http", 504, "Gateway Time-out")
_GRPC = {400: 13, 401: 16, 403: 7, 404: 12, 429: 14, 502: 14, 503: 14, 504: 14}


def to_grpc(symptom: Symptom) -> Symptom:
    """An answer of a proxy as a gRPC client gets it: status 200, and the refusal in `grpc-status`."""
    if symptom.kind != "http" or symptom.status is None or symptom.status < 400:
        return symptom
    return Symptom("http", 200, "", {"grpc-status": str(_GRPC.get(symptom.status, 2)), "grpc-message": symptom.body or ""})


def token_problem(text: str) -> Symptom:
    """The answer to a bad token."""
    status = 403 if text == "Audiences in Jwt are not allowed" else 401
    return Symptom("http", status, text, {"www-authenticate": 'Bearer realm="…", error="invalid_token"'})
