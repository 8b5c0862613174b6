"""Istio's traffic kinds, as far as they decide whether and how a call arrives.

Source: istio/api:networking/v1/*.proto.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshcheck.model.core import ServicePort
from meshcheck.model.istio_security import Attachment
from meshcheck.model.objects import Meta, Path
from meshcheck.model.record import record, value


@value
class StringMatch:
    """`kind` is exact, prefix, segments (a prefix of whole path segments), regex or present; with `ignore_case` for paths."""

    kind: str
    value: str
    ignore_case: bool = False


@record
class HttpMatch:
    """One match block: all that is given must hold."""

    path: StringMatch | None
    method: StringMatch | None
    scheme: StringMatch | None
    authority: StringMatch | None
    headers: tuple[tuple[str, StringMatch], ...]
    without_headers: tuple[tuple[str, StringMatch], ...]
    query: tuple[tuple[str, StringMatch], ...]
    port: int | None
    gateways: tuple[str, ...]
    source_labels: Mapping[str, str]
    source_namespace: str | None
    field: Path


@value
class Destination:
    """Where a route leads. `host` as written: a short name belongs to the namespace of the VirtualService."""

    host: str
    subset: str | None
    port: int | None
    weight: int
    field: Path
    broken: str | None = None
    """Why it cannot be used, whatever there is: a reference that is not permitted."""


@record
class HttpRoute:
    """One HTTP route; exactly one of `destinations`, `redirect`, `direct_response` and `delegate` is given."""

    name: str
    matches: tuple[HttpMatch, ...]
    destinations: tuple[Destination, ...]
    redirect: Mapping[str, Any] | None
    direct_response: Mapping[str, Any] | None
    delegate: tuple[str, str] | None
    """(namespace or empty, name)."""
    rewrite: Mapping[str, Any] | None
    abort_status: int | None
    abort_percentage: float
    cors: Mapping[str, Any] | None
    request_headers: Mapping[str, Any]
    field: Path
    owner: Meta | None = None
    """The object that holds it, where several are merged; else the VirtualService's own."""
    unclear: str | None = None
    """What nobody knows of this route, so that it cannot be followed."""
    timeout: str = ""
    """`10s`: a slower answer becomes a 504."""


@record
class L4Route:
    """One TCP or TLS route. `matches` are raw match blocks."""

    matches: tuple[Mapping[str, Any], ...]
    destinations: tuple[Destination, ...]
    field: Path
    owner: Meta | None = None


@record
class VirtualService:
    """A VirtualService. `gateways` holds `mesh`, `NAMESPACE/NAME`, or `NAME` in its own namespace."""

    meta: Meta
    hosts: tuple[str, ...]
    gateways: tuple[str, ...]
    export_to: tuple[str, ...]
    http: tuple[HttpRoute, ...]
    tcp: tuple[L4Route, ...]
    tls: tuple[L4Route, ...]


@value
class TrafficPolicy:
    """What of a traffic policy matters here: TLS. None where nothing is said; `ports` by Service port."""

    tls: str | None
    ports: Mapping[int, str | None]
    field: Path
    sni: str | None = None


@record
class Subset:
    """A subset of a service's pods."""

    name: str
    labels: Mapping[str, str]
    policy: TrafficPolicy | None


@record
class DestinationRule:
    """A DestinationRule."""

    meta: Meta
    host: str
    policy: TrafficPolicy | None
    subsets: tuple[Subset, ...]
    export_to: tuple[str, ...]
    workload_selector: Mapping[str, str] | None


@record
class EgressListener:
    """One egress entry of a Sidecar: hosts as `NAMESPACE/HOST`."""

    hosts: tuple[str, ...]
    port: int | None


@record
class Sidecar:
    """A Sidecar. `outbound_mode` is None when it says nothing; `ingress` maps ports to protocols."""

    meta: Meta
    selector: Mapping[str, str] | None
    egress: tuple[EgressListener, ...] | None
    ingress: tuple[ServicePort, ...]
    outbound_mode: str | None


EXTENSIONS = ("EnvoyFilter", "WasmPlugin", "TrafficExtension")
"""Kinds that may put anything into a proxy."""
INBOUND, OUTBOUND, GATEWAY, WAYPOINT = "inbound", "outbound", "gateway", "waypoint"
"""Listeners: of a sidecar for calls that arrive (or a waypoint) and for calls that are sent; of a gateway; of a waypoint alone."""


@record
class Extension:
    """An EnvoyFilter, WasmPlugin or TrafficExtension: it may put anything into a proxy."""

    meta: Meta
    attachment: Attachment
    listeners: Mapping[str, frozenset[int]]
    """Which listeners it is for: INBOUND, OUTBOUND or GATEWAY, and the ports there; no port means all of them."""
    http_only: bool = False
    """Whether it leaves connections alone that the proxy does not read as HTTP."""

    def is_for(self, listener: str, port: int | None, http: bool) -> bool:
        """Whether it stands in a listener's way; a port of None may be any."""
        ports = self.listeners.get(listener)
        return ports is not None and (http or not self.http_only) and (not ports or port is None or port in ports)


@record
class ServiceEntry:
    """A ServiceEntry."""

    meta: Meta
    hosts: tuple[str, ...]
    addresses: tuple[str, ...]
    ports: tuple[ServicePort, ...]
    location: str
    resolution: str
    endpoints: tuple[Mapping[str, Any], ...]
    selector: Mapping[str, str] | None
    export_to: tuple[str, ...]
