"""From a route's destinations to pods, for a proxy that sends: the sidecar of a caller, or a gateway.

Source: istio/istio:pilot/pkg/networking/core/route/route.go:GetDestinationCluster; cluster_builder.go.
"""

from __future__ import annotations

from meshcheck.model.core import Service, Workload
from meshcheck.model.istio_networking import Destination, Subset
from meshcheck.model.objects import Meta, ObjectRef
from meshcheck.model.question import Question
from meshcheck.model.record import NamedTuple, replace
from meshcheck.model.trace import ALLOWED, Mention, Station, Symptom
from meshcheck.semantics.ambient import waypoints
from meshcheck.semantics.ambient.waypoints import Called
from meshcheck.semantics.attachment import selects
from meshcheck.semantics.outbound import scope as scopes
from meshcheck.semantics.outbound import tls
from meshcheck.semantics.outbound.sending import Sending, by_waypoint, refused
from meshcheck.semantics.routing import selection
from meshcheck.semantics.tracing import symptoms
from meshcheck.semantics.tracing.target import Backend, of_service
from meshcheck.semantics.world.hosts import look_up
from meshcheck.semantics.world.world import World


class Sender(NamedTuple):
    """The proxy that sends. `station` and `enforcer` name it in the trace; `no_cluster` is its answer when a destination does not exist."""

    world: World
    question: Question
    workload: Workload
    station: str
    enforcer: str
    no_cluster: Symptom = symptoms.NO_CLUSTER
    mesh: bool = True
    """Whether the proxy is one of Istio's: others know no DestinationRules, and speak plaintext."""
    waypoint: ObjectRef | None = None
    """The Gateway of a waypoint that sends."""

    def _refused(self, base: Sending, why: str, symptom: Symptom, by: Mention | None) -> Sending:
        return refused(base, why, symptom, by, self.station, self.enforcer)

    def to_destinations(self, base: Sending, owner: Meta, destinations: tuple[Destination, ...], port: int) -> list[Sending]:
        """All destinations of a route that have weight; `port` is that of the listener, for destinations that name none."""
        live = [d for d in destinations if d.weight] or list(destinations)
        out: list[Sending] = []
        for destination in live:
            out += self._to_destination(base, owner, destination, port)
        return out or [replace(base, missing=f"where {owner.ref} sends the call")]

    def _to_destination(self, base: Sending, owner: Meta, destination: Destination, port: int) -> list[Sending]:
        host = selection.full_name(destination.host, owner.namespace)
        named = look_up(self.world, host, self.workload.namespace)
        mention = Mention(owner, field=destination.field)
        if destination.broken is not None:
            return [self._refused(base, destination.broken, self.no_cluster, mention)]
        service = named.service
        if service is None:
            if named.entry is not None or (named.external and not host.endswith(".svc.cluster.local")):
                if named.entry is None and self.world.complete("ServiceEntry"):
                    return [self._refused(base, f"the mesh knows no host `{host}`", self.no_cluster, mention)]
                return [replace(base, backend=Backend(None, host, destination.port or port, None, None))]
            if self.world.complete("Service", namespace=host.partition(".")[2].partition(".")[0] or None):
                return [self._refused(base, f"no Service `{host}`", self.no_cluster, mention)]
            return [replace(base, missing=named.missing or f"the Service `{host}`: it is not in the input")]
        if self.mesh and not scopes.is_visible(self.world, service, self.workload.namespace):
            why = f"Service {service.namespace}/{service.name} is not exported to namespace {self.workload.namespace}"
            return [self._refused(base, why, self.no_cluster, Mention(service.meta, field=("metadata", "annotations")))]
        number = destination.port or (port if len(service.ports) != 1 else service.ports[0].number)
        return self.to_service(base, service, number, destination.subset, mention)

    def to_service(self, base: Sending, service: Service, port: int, subset_name: str | None, by: Mention | None) -> list[Sending]:
        """The pods of a Service port, or of a subset of it. `by` is the route that leads there; None without one."""
        if self.mesh and self.enforcer == "gateway" and waypoints.from_gateways(self.world, service):
            bound = waypoints.binding(self.world, service.meta.labels, service.namespace, "service")
            way = by_waypoint(base, bound, Called(service.meta.ref, service.ports, port, service))
            if way is not None:
                return [way]
        rules = tls.Rules(())
        if self.mesh:
            rules = tls.rules_for(self.world, service.host, service.namespace, self.workload.namespace, self.workload.pod_labels)
        subset = None
        if subset_name is not None:
            found = rules.subset(subset_name)
            if found is None:
                why = f"subset `{subset_name}` of {service.host} is in no DestinationRule that the caller sees"
                return [self._refused(base, why, self.no_cluster, by)]
            subset = found[1]
        view = of_service(self.world, service, port)
        if view.missing:
            return [replace(base, missing=view.missing)]
        backends = view.backends
        if subset is not None:
            backends = tuple(b for b in backends if b.workload is not None and selects(subset.labels, b.workload.pod_labels))
        if not backends and view.refused is None and not self.world.complete("Workload", namespace=service.namespace):
            fact = (
                f"the pods of subset `{subset_name}` of {service.host}: none in the input has its labels (`--closed-world`: there are none)"
            )
            return [replace(base, missing=fact)]
        if not backends:
            why = view.refused or f"subset `{subset_name}` of {service.host} selects no pod"
            symptom = symptoms.NO_ENDPOINT if base.http_proxy else symptoms.RESET
            if view.refused and by is not None and not any(p.number == port for p in service.ports):
                symptom = self.no_cluster
            return [self._refused(base, why, symptom, by)]
        return [sent for b in backends for sent in self._to_backend(base, service, b, port, rules, subset)]

    def _to_backend(
        self, base: Sending, service: Service, backend: Backend, port: int, rules: tls.Rules, subset: Subset | None
    ) -> list[Sending]:
        if backend.workload is None:
            return [replace(base, backend=backend)]
        if not self.mesh:
            return [replace(base, backend=backend)]
        if self.waypoint is not None and self._serves(service):
            choices = tls.from_waypoint(self.world, backend.workload, port, rules, subset)
            return [self._sent(base, backend, chosen, None) for chosen in choices]
        chosen = tls.transport_to(
            self.world, service, backend.workload, backend.port, port, rules, subset, gateway=self.enforcer == "gateway"
        )
        name = subset.name if subset is not None else ""
        return [self._sent(base, backend, chosen, f"outbound_.{port}_.{name}_.{service.host}")]

    def _serves(self, service: Service) -> bool:
        """Whether the waypoint that sends is the one of a Service: then it sends as `waypoint`, else as any other proxy."""
        found = waypoints.binding(self.world, service.meta.labels, service.namespace, "service")
        return found.bound and found.gateway is not None and found.gateway.meta.ref == self.waypoint

    def _sent(self, base: Sending, backend: Backend, chosen: tls.Transport, server_name: str | None) -> Sending:
        kind = chosen.kind
        if kind == "plaintext" and self.question.protocol in ("https", "tls") and not base.http_proxy:
            kind = "tls"
        mention = (Mention(chosen.rule.meta, field=chosen.field),) if chosen.rule else ()
        station = Station("client-tls", self.enforcer, ALLOWED, chosen.why, mention, workload=str(self.workload))
        return replace(
            base,
            stations=(*base.stations, station),
            backend=backend,
            transport=kind,
            sni=base.sni or (server_name if kind == "mtls" else None),
            originates_tls=chosen.kind == "tls" or chosen.tls_inside,
        )
