"""Kubernetes' own objects, as far as they decide who may call whom."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from meshcheck.model.objects import Meta, ObjectRef
from meshcheck.model.record import record, value


@record
class Namespace:
    """A namespace. `labels` always holds `kubernetes.io/metadata.name`."""

    name: str
    labels: Mapping[str, str]
    meta: Meta | None
    """None when no Namespace object was read: the namespace is known from the objects in it."""


@value
class ContainerPort:
    """A port that a container declares. `name` is empty when it has none; `protocol` is TCP, UDP or SCTP."""

    name: str
    number: int
    protocol: str


@record
class Workload:
    """Pods that are alike: a controller's template, or one Pod.

    `kind` is Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController, Job, CronJob, Pod or WorkloadEntry.
    """

    meta: Meta
    kind: str
    pod_labels: Mapping[str, str]
    pod_annotations: Mapping[str, str]
    service_account: str
    ports: tuple[ContainerPort, ...]
    host_network: bool
    addresses: tuple[str, ...]
    """Pod addresses from the status; empty where the manifests hold none."""
    node: str
    owner: ObjectRef | None
    """Controller of a Pod or ReplicaSet; its kind may be empty."""
    containers: tuple[str, ...]
    """Names of the containers and init containers: `istio-proxy` shows a sidecar that is really there."""
    phase: str = ""
    """`Succeeded` and `Failed` pods hold no address."""
    dns_policy: str = "ClusterFirst"
    pod: Mapping[str, Any] = MappingProxyType({})
    """The pod's `spec` as it was written, for what is read of it only when a question needs it."""
    runs: bool = False
    """A Pod that a cluster runs: what is in it is what it has, whatever labels ask for. A controller: one that a cluster has acted on."""

    @property
    def ended(self) -> bool:
        """Whether it is a pod that has run to its end, and neither calls nor answers any more."""
        return self.phase in ("Succeeded", "Failed")

    ready: bool = True
    """False for a Pod whose condition `Ready` says so: Services leave it out."""

    @property
    def namespace(self) -> str:
        return self.meta.namespace

    @property
    def name(self) -> str:
        return self.meta.name

    def __str__(self) -> str:
        return f"{self.meta.namespace}/{self.meta.name}"


@value
class ServicePort:
    """A port of a Service. `target` is a number or the name of a container port."""

    name: str
    number: int
    target: int | str
    protocol: str
    app_protocol: str | None


@record
class Service:
    """A Service. `selector` is None when its endpoints are made by hand."""

    meta: Meta
    kind: str
    """ClusterIP, NodePort, LoadBalancer or ExternalName."""
    selector: Mapping[str, str] | None
    ports: tuple[ServicePort, ...]
    cluster_ips: tuple[str, ...]
    headless: bool
    external_name: str | None
    keeps_client_address: bool = False
    """`externalTrafficPolicy: Local`: what comes through a node or load balancer keeps its address."""
    source_ranges: tuple[str, ...] = ()
    """`loadBalancerSourceRanges`: whom the load balancer lets in; empty for all."""
    external_addresses: tuple[str, ...] = ()
    """Addresses and names by which it is reached from outside, where the manifests hold them."""
    not_ready_too: bool = False
    """`publishNotReadyAddresses`: pods that are not ready are among its endpoints."""

    @property
    def namespace(self) -> str:
        return self.meta.namespace

    @property
    def name(self) -> str:
        return self.meta.name

    @property
    def host(self) -> str:
        """The name by which the mesh knows it, in the default cluster domain."""
        return f"{self.meta.name}.{self.meta.namespace}.svc.cluster.local"


@record
class Endpoints:
    """Addresses of a Service that were written by hand (Endpoints, EndpointSlice)."""

    meta: Meta
    service: str
    addresses: tuple[str, ...]
    ports: tuple[ServicePort, ...]


class Sealed:
    """A value that may be compared and never shown."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def __repr__(self) -> str:
        return "Sealed(…)"

    def reveal(self) -> str:
        """The value, for a comparison; it must not end up in an answer."""
        return self._value


@record
class Secret:
    """A Secret: the names of its keys, and whether it holds a certificate with its key."""

    meta: Meta
    keys: tuple[str, ...]
    malformed: tuple[str, ...]
    """Keys of certificates and private keys whose value is plainly no PEM text."""
    credentials: Mapping[str, Sealed]
    """What a client's credentials are compared with: values of all keys but those of certificates."""


@record
class ServiceAccount:
    """A service account: the identity of pods."""

    meta: Meta


@record
class Node:
    """A node: only its labels and addresses matter."""

    meta: Meta
    addresses: tuple[str, ...]


@value
class Requirement:
    """One expression of a label selector: `operator` is In, NotIn, Exists or DoesNotExist; `field` is its path in the selector."""

    key: str
    operator: str
    values: tuple[str, ...]
    field: tuple[str | int, ...]

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether labels satisfy it; NotIn and DoesNotExist hold where the key is absent."""
        if self.operator == "In":
            return labels.get(self.key) in self.values if self.key in labels else False
        if self.operator == "NotIn":
            return labels.get(self.key) not in self.values if self.key in labels else True
        return (self.key in labels) == (self.operator == "Exists")


@value
class Selector:
    """A label selector: all requirements must hold; without any it selects everything."""

    requirements: tuple[Requirement, ...]

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether all requirements hold."""
        for requirement in self.requirements:  # noqa: SIM110 asked for each pair of a policy and a pod: a generator costs more than the answer
            if not requirement.holds(labels):
                return False
        return True
