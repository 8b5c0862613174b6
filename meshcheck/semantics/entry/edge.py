"""The headers of a request as the filters and routes of a gateway see them: Envoy puts some in, takes some out, before it looks at any.

Sources: envoyproxy/envoy:source/common/http/conn_manager_utility.cc:mutateRequestHeaders,cleanInternalHeaders; istio/istio:pilot/pkg/
networking/core/gateway.go:buildGatewayConnectionManager (use_remote_address); asked of istiod and Envoy 1.40.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from meshcheck.semantics import watching

_TAKEN_OUT = frozenset(
    (
        *("connection", "keep-alive", "proxy-connection", "transfer-encoding", "x-forwarded-client-cert", "x-envoy-decorator-operation"),
        *("x-envoy-downstream-service-cluster", "x-envoy-downstream-service-node", "x-envoy-expected-rq-timeout-ms"),
        *("x-envoy-force-trace", "x-envoy-hedge-on-per-try-timeout", "x-envoy-internal", "x-envoy-ip-tags", "x-envoy-max-retries"),
        *("x-envoy-original-path", "x-envoy-retriable-header-names", "x-envoy-retriable-status-codes", "x-envoy-retry-grpc-on"),
        *("x-envoy-retry-on", "x-envoy-upstream-alt-stat-name", "x-envoy-upstream-rq-per-try-timeout-ms", "x-envoy-upstream-rq-timeout-ms"),
    )
)
_SOME_ID = "00000000-0000-4000-8000-000000000000"
"""Stands for the random `x-request-id` that the gateway makes."""


def seen_headers(
    headers: Mapping[str, Sequence[str]], peer: str, remote: str, scheme: str, trusted_proxies: int
) -> dict[str, tuple[str, ...]]:
    """Headers behind the connection manager.

    `peer`: the other end of the connection, and `remote`: the client behind trusted proxies; empty when they are not known.
    """
    if watching.by is not None:
        own = ("x-request-id", "x-envoy-external-address", *(() if trusted_proxies else ("x-forwarded-proto",)))
        of_both = ("te", "upgrade", *(("x-forwarded-proto",) if trusted_proxies else ()), *(("x-forwarded-for",) if peer else ()))
        watching.by.headers_changed((*_TAKEN_OUT, *own), of_both)
    upgrade = any("upgrade" in line.lower() for line in headers.get("connection", ()))
    out = {name: tuple(lines) for name, lines in headers.items() if name not in _TAKEN_OUT}
    if not upgrade:
        out.pop("upgrade", None)
    if out.get("te") not in (None, ("trailers",)):
        del out["te"]
    if not (trusted_proxies and out.get("x-forwarded-proto")):
        out["x-forwarded-proto"] = (scheme,)
    out["x-request-id"] = (_SOME_ID,)
    if peer:
        before = ",".join(out.get("x-forwarded-for", ()))
        out["x-forwarded-for"] = (f"{before},{peer}" if before else peer,)
    out.pop("x-envoy-external-address", None)
    if remote:
        out["x-envoy-external-address"] = (remote,)
    return out


def sent_on(headers: Mapping[str, Sequence[str]], peer: str, seen: bool) -> dict[str, tuple[str, ...]]:
    """Headers as a gateway sends them: its peer stands at the end of X-Forwarded-For; without its address that cannot be known.

    `seen`: they are what `seen_headers` made, so that it stands there already.
    """
    if watching.by is not None:
        watching.by.headers_changed(("x-forwarded-for",))
    out = {name: tuple(lines) for name, lines in headers.items()}
    if not peer:
        out["x-forwarded-for"] = ("",)
    elif not seen:
        before = ",".join(out.pop("x-forwarded-for", ()))
        out["x-forwarded-for"] = (f"{before},{peer}" if before else peer,)
    return out
