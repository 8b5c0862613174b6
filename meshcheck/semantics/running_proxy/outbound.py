"""What the caller's own proxy lacks for one call: a route for the host, a cluster for the Service.

Source: istio/istio:pilot/pkg/networking/core/httproute.go:buildSidecarOutboundHTTPRouteConfig.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.model.proxy_config import RunningHost, RunningProxy
from meshcheck.model.question import Question
from meshcheck.model.trace import DENIED, Trace
from meshcheck.semantics.running_proxy.differences import MISSING, Difference

_BUILT_IN = ("PassthroughCluster", "BlackHoleCluster", "InboundPassthroughCluster")


def outbound_differences(proxy: RunningProxy, found: Trace) -> Iterator[Difference]:
    """Nothing is said where the dump holds no routes, where the call is no HTTP, or where the caller's side refuses by the manifests."""
    question = found.question
    host, port = question.target.host, question.target.port or 80
    refused = any(s.enforcer == "client-sidecar" and s.verdict == DENIED for hop in found.hops[:1] for s in hop.stations)
    if not proxy.hosts or not question.is_http or not host or refused or _is_address(host):
        return
    names = [name for name in _names(question, host) for name in (name, f"{name}:{port}")]
    table = [one for one in proxy.hosts if one.table == str(port) or one.table.endswith(f":{port}")]
    own = [one for one in table if any(_covers(domain.lower(), name) for domain in one.domains for name in names)]
    if not own:
        words = f"the proxy of the caller has no route for `{host}` on port {port} (yet): the call goes out as one to an unknown host"
        yield Difference(MISSING, words)
        return
    yield from _clusters(proxy, own[0])


def _clusters(proxy: RunningProxy, host: RunningHost) -> Iterator[Difference]:
    for name in host.clusters:
        if proxy.clusters and name not in proxy.clusters and name not in _BUILT_IN:
            yield Difference(MISSING, f"the proxy of the caller routes to `{name}`, and has no such cluster (yet)")


def _names(question: Question, host: str) -> list[str]:
    """The Host header, and where there is none the host as the caller's resolver may complete it."""
    if question.host:
        return [question.host.lower()]
    space = question.caller.namespace
    return [host.lower(), *([f"{host.lower()}.{space}"] if space and "." not in host else [])]


def _is_address(host: str) -> bool:
    from meshcheck.semantics.addresses import parse_address

    return parse_address(host) is not None


def _covers(domain: str, host: str) -> bool:
    """Whether a domain of a virtual host covers a host of its own; the one that covers everything does not count."""
    if domain == "*":
        return False
    if domain.startswith("*"):
        return host.endswith(domain[1:])
    return host.startswith(domain[:-1]) if domain.endswith("*") else domain == host
