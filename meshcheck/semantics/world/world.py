"""The World and its indexes: by namespace, by label, by selector."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from meshcheck.model.cluster_kinds import MESH_CONFIG
from meshcheck.model.core import Endpoints, Namespace, Secret, Service, Workload
from meshcheck.model.injection import InjectorSettings
from meshcheck.model.inventory import Inventory
from meshcheck.model.istio_networking import EXTENSIONS, Extension
from meshcheck.model.istio_security import AuthorizationPolicy, PeerAuthentication, RequestAuthentication
from meshcheck.model.mesh_config import MeshConfig
from meshcheck.model.objects import Meta
from meshcheck.model.record import replace
from meshcheck.model.revisions import BY_REVISION, DEFAULT, LABEL, NONE, Revisions
from meshcheck.semantics.attachment import GATEWAY_NAME, attaches, selects
from meshcheck.semantics.world import control_plane, running, tables
from meshcheck.semantics.world.reads import Reads, watched

T = TypeVar("T")
_RESTS_ON: Mapping[str, tuple[str, ...]] = {
    "services by name": ("Service",),
    "services by label": ("Service",),
    "services by address": ("Service",),
    "services of": ("Service", "Workload"),
    "pods of": ("Service", "Workload"),
    "behind": ("Service", "Workload", "Endpoints"),
    "pods by address": ("Workload",),
    "workloads by label": ("Workload",),
    "workload names": ("Workload",),
    "nodes by address": ("Node",),
    "secrets": ("Secret",),
    "config maps": ("ConfigMap",),
    "sidecars": ("Sidecar",),
    "rules by namespace": ("DestinationRule",),
    "rules with selectors": ("DestinationRule",),
}
"""The headings of the inventory that remembered tables are made from, and nothing else."""


class World:
    """What is known of a cluster.

    `closed`: what is not in the input does not exist. In an open world its absence is a missing fact. A World from a cluster is closed,
    and its inventory's `coverage` says for which kinds that is not so.
    `injected`: namespaces of which the user says that their pods have sidecars (`*` for all).
    `assumed`: what a variant of this World supposes of sorts of pods of which it is not known whether they have sidecars.
    `supposed`: which revision of Istio it supposes to manage sorts of workloads of which that is not known.
    `revision`: the one whose view of the cluster it is; empty for the whole.
    """

    def __init__(
        self,
        inventory: Inventory,
        mesh: MeshConfig | None = None,
        *,
        closed: bool = False,
        injected: frozenset[str] = frozenset(),
        assumed: Mapping[str, bool] | None = None,
        reads: Reads | None = None,
        revisions: Revisions = NONE,
        supposed: Mapping[str, str] | None = None,
        revision: str = "",
    ) -> None:
        self.coverage = inventory.coverage
        self.reads = reads or (Reads() if self.coverage is not None else None)
        self.inventory = inventory if self.reads is None else watched(inventory, self.reads)
        self._mesh = mesh or MeshConfig()
        self.revisions = revisions
        self.supposed = supposed or {}
        self.revision = revision
        self.closed = closed or self.coverage is not None
        self.injected = injected
        self.assumed = assumed or {}
        self._kept: dict[Any, Any] = {}
        self._workloads = tables.by_namespace(inventory.of("Workload"))
        self._services = tables.by_namespace(inventory.of("Service"))
        self._endpoints = tables.by_namespace(inventory.of("Endpoints"))
        self._policies = {
            kind: tables.by_namespace(inventory.of(kind)) for kind in ("AuthorizationPolicy", "RequestAuthentication", "PeerAuthentication")
        }
        self._namespaces: dict[str, Namespace] = {n.name: n for n in inventory.of("Namespace")}
        for name in {
            *self._workloads,
            *self._services,
            *(o.meta.namespace for o in inventory.of("ServiceAccount")),
        } - self._namespaces.keys():
            self._namespaces[name] = Namespace(name, {"kubernetes.io/metadata.name": name}, None)

    def complete(self, *kinds: str, namespace: str | None = None, name: str | None = None) -> bool:
        """Whether all objects of these kinds (headings of the inventory) are known, so that one that is not in the input does not exist.

        `namespace`: those of one namespace; for kinds without namespaces, the one object of that name. `name`: one object.
        """
        if self.coverage is None or not self.closed:
            return self.closed
        for kind in kinds:
            self.note(kind, namespace, knowing=True)
        return all(self.coverage.complete(kind, namespace, name) for kind in kinds)

    def note(self, kind: str, namespace: str | None = None, knowing: bool = False) -> None:
        """Say that an answer depends on objects of a kind; needed only beside `index`. `knowing`: it asks whether they are known."""
        if self.reads is not None:
            self.reads.note(kind, namespace, knowing)

    def once(self, key: Any, compute: Callable[[], T]) -> T:
        """The value computed for a key the first time it was asked for."""
        try:
            found: T = self._kept[key]
        except KeyError:
            if self.reads is None:
                found = self._kept[key] = compute()
                return found
            self.reads.begin()
            try:
                found = self._kept[key] = compute()
            finally:
                looked = self.reads.end()
            self.reads.keep((id(self), key), looked)
        if self.reads is not None:
            self.reads.again((id(self), key))
        return found

    def index(self, key: Any, compute: Callable[[], T]) -> T:
        """As `once`, for tables over all namespaces: whoever looks something up says with `note` where it looked."""
        if self.reads is None:
            return self.once(key, compute)
        with self.reads.frame():
            return self.once(key, compute)

    def assuming(self, sidecars: Mapping[str, bool]) -> World:
        """This World, supposing of sorts of pods (`Sidecar.shared`) that they have sidecars, or that they have none."""

        def make() -> World:
            return self._other(self.inventory, assumed={**self.assumed, **sidecars})

        return self.once(("assuming", tuple(sorted(sidecars.items()))), make)

    def supposing(self, revisions: Mapping[str, str]) -> World:
        """This World, supposing of sorts of workloads (`Managed.open`) that these revisions of Istio manage them."""
        supposed = {**self.supposed, **revisions}
        return self.once(("supposing", tuple(sorted(supposed.items()))), lambda: self._other(self.inventory, supposed=supposed))

    def seen_by(self, revision: str | None) -> World:
        """This World as one revision of Istio sees it: its own mesh config, and no objects that are for another one."""

        def make() -> World:
            objects = {
                heading: tuple(o for o in every if o.meta.labels.get(LABEL) in (None, revision)) if heading in BY_REVISION else every
                for heading, every in self.inventory.objects.items()
            }
            own = replace(self.revisions, divided=False)
            mesh = self.revisions.meshes.get(revision or "", self._mesh)
            return self._other(replace(self.inventory, objects=objects), mesh=mesh, revisions=own, revision=revision or "")

        return self.once(("seen by", revision), make)

    def _other(self, inventory: Inventory, **changes: Any) -> World:
        """A World of the same cluster, with some of what is said beside its objects changed."""
        same = {"mesh": self._mesh, "closed": self.closed, "injected": self.injected, "assumed": self.assumed, "reads": self.reads}
        more = {"revisions": self.revisions, "supposed": self.supposed, "revision": self.revision}
        return World(inventory, **{**same, **more, **changes})

    def with_objects(self, changed: Mapping[str, tuple[Any, ...]]) -> World:
        """This World with other objects under some headings of its inventory; all others, and what is said beside them, stay.

        Tables that rest on unchanged headings alone are shared: a change costs as much as what is looked up because of it.
        """
        old = self.inventory
        inventory = Inventory({**old.objects, **changed}, old.refused, old.noted, old.not_decoded, old.coverage)
        made = self._other(inventory)
        if self.reads is None:  # else each table says what it was made from, and has to be made by its own World
            for key, value in self._kept.items():
                rests_on = _RESTS_ON.get(key if isinstance(key, str) else key[0])
                if rests_on is not None and not any(heading in changed for heading in rests_on):
                    made._kept[key] = value
        return made

    @property
    def mesh(self) -> MeshConfig:
        """Istio's mesh config."""
        if self.reads is not None:
            self.reads.note(MESH_CONFIG)
        return self._mesh

    def injector(self, revision: str | None) -> InjectorSettings:
        """The settings of a revision's injector: Istio's defaults where none were read and nobody says that there are some."""
        self.note(MESH_CONFIG, knowing=True)
        found = self.revisions.injectors.get(revision or DEFAULT)
        if found is not None:
            return found
        if self.coverage is None or self.complete("ConfigMap", namespace=self.root):
            return InjectorSettings()
        return InjectorSettings(broken=next(self.coverage.lacking("ConfigMap", self.root)).fact(self.root))

    @property
    def root(self) -> str:
        """The namespace of Istio's control plane, as far as its mesh config tells."""
        return self._mesh.meta.namespace if self._mesh.meta is not None else self._mesh.root_namespace

    # ---- Kubernetes ----

    def namespace(self, name: str) -> Namespace:
        """A namespace; one that was not read has the label that the API server gives it, and no other that is known."""
        self.note("Namespace", name)
        return self.namespace_as_known(name)

    def namespace_as_known(self, name: str) -> Namespace:
        """As `namespace`, for those who ask by themselves whether its labels are known."""
        self.note("Namespace", name, knowing=True)
        return self._namespaces.get(name) or self.once(
            ("namespace", name), lambda: Namespace(name, {"kubernetes.io/metadata.name": name}, None)
        )

    def has_namespace(self, name: str) -> bool:
        """Whether a namespace was read, or anything in it."""
        self.note("Namespace", name)
        return name in self._namespaces

    @property
    def namespaces(self) -> Mapping[str, Namespace]:
        """All namespaces that were read, or of which anything was read."""
        self.note("Namespace")
        return self._namespaces

    @property
    def workloads(self) -> tuple[Workload, ...]:
        """All pods and controllers; what a controller has made is left out where the controller is there: it stands for all of them."""
        every: tuple[Workload, ...] = self.inventory.of("Workload")
        return self.index("standing workloads", lambda: running.standing(every))

    def pods_under(self, workload: Workload) -> tuple[Workload, ...]:
        """The Pods of a controller that a cluster runs; a Pod itself where it is one."""
        table = self.index("running pods", lambda: running.by_controller(self.inventory.of("Workload")))
        self.note("Workload", workload.namespace)
        if workload.kind == "Pod":
            return (workload,) if workload.runs else ()
        return table.get((workload.namespace, workload.kind, workload.name), ())

    @property
    def services(self) -> tuple[Service, ...]:
        """All Services."""
        return self.inventory.of("Service")

    def workloads_in(self, namespace: str) -> tuple[Workload, ...]:
        """Pods and controllers of a namespace."""
        self.note("Workload", namespace)
        return self._workloads.get(namespace, ())

    def services_in(self, namespace: str) -> tuple[Service, ...]:
        """Services of a namespace."""
        self.note("Service", namespace)
        return self._services.get(namespace, ())

    def service(self, namespace: str, name: str) -> Service | None:
        """A Service by name."""
        by_name = self.index("services by name", lambda: {(s.namespace, s.name): s for s in self.services})
        self.note("Service", namespace)
        return by_name.get((namespace, name))

    def find_workload(self, namespace: str, name: str) -> Workload | None:
        """A workload by name or `Kind/name`: a controller, a Pod, or a Pod of the controller that has this name."""
        names = self.once(("workload names", namespace), lambda: tables.names(self.workloads_in(namespace)))
        return names.get(name)

    def find_pod(self, namespace: str, name: str) -> Workload | None:
        """A Pod by name; where only its controller was read, the controller."""
        return self.find_workload(namespace, f"Pod/{name}") or self.find_workload(namespace, name)

    def pod_at(self, address: str) -> Workload | None:
        """The Pod that has an address; pods in the host's network have none of their own."""

        def make() -> dict[str, Workload]:
            return {a: w for w in self.inventory.of("Workload") for a in w.addresses if not w.host_network}

        table = self.once("pods by address", make)
        return table.get(address)

    def pods_of(self, service: Service) -> tuple[Workload, ...]:
        """What a Service's selector selects. Pods are left out where their controller is there: it stands for all of them."""
        if not service.selector:
            return ()
        return self.once(("pods of", service.meta.ref), lambda: self._select(service))

    def _select(self, service: Service) -> tuple[Workload, ...]:
        found = [w for w in self._selected(service) if service.not_ready_too or self._is_there(w)]
        controllers = {(w.kind, w.name): w for w in found if w.kind != "Pod"}
        theirs = {id(pod) for w in controllers.values() for pod in self.pods_under(w)} if len(controllers) < len(found) else set()

        def owned(w: Workload) -> bool:
            return id(w) in theirs or (w.owner is not None and (w.owner.kind, w.owner.name) in controllers)

        return tuple(w for w in found if not owned(w))

    def _selected(self, service: Service) -> list[Workload]:
        candidates = self._labelled(service.namespace, service.selector or {})
        return [w for w in candidates if selects(service.selector, w.pod_labels) and not w.ended]

    def lost_pods_of(self, service: Service) -> bool:
        """Whether a Service selects something, and none of it is ready."""
        return bool(service.selector) and not self.pods_of(service) and bool(self._selected(service))

    def _is_there(self, workload: Workload) -> bool:
        """Whether a pod takes calls; of a controller that a cluster has acted on, whether one of its pods does."""
        if workload.kind == "Pod":
            return workload.ready or not workload.runs
        pods = self.pods_under(workload)
        if pods:
            return any(pod.ready for pod in pods)
        return not (workload.runs and self.coverage is not None and self.complete("Workload", namespace=workload.namespace))

    def _labelled(self, namespace: str, selector: Mapping[str, str]) -> Iterable[Workload]:
        """Workloads of a namespace that have one of a selector's labels, the rarest: few of many, in the order of reading."""
        table = self.index("workloads by label", lambda: tables.by_label(self.inventory.of("Workload")))
        self.note("Workload", namespace)
        return min((table.get((namespace, key, value), ()) for key, value in selector.items()), key=len, default=())

    def services_of(self, workload: Workload) -> tuple[Service, ...]:
        """Services that select a workload, oldest first."""

        def find() -> tuple[Service, ...]:
            table = self.index("services by label", lambda: tables.by_first_label(self.services))
            self.note("Service", workload.namespace)
            near = [s for key, value in workload.pod_labels.items() for s in table.get((workload.namespace, key, value), ())]
            found = [s for s in near if selects(s.selector, workload.pod_labels)]
            return tuple(sorted(found, key=lambda s: (s.meta.created or "9999", s.name)))

        return self.once(("services of", workload.meta.ref, id(workload)), find)

    def endpoints_of(self, service: Service) -> tuple[Endpoints, ...]:
        """Endpoints of a Service that were written by hand."""
        self.note("Endpoints", service.namespace)
        return tuple(e for e in self._endpoints.get(service.namespace, ()) if e.service == service.name)

    def secret(self, namespace: str, name: str) -> Secret | None:
        """A Secret by name; `complete("Secret", …)` says whether one that is not there does not exist."""
        table = self.index("secrets", lambda: {(s.meta.namespace, s.meta.name): s for s in self.inventory.of("Secret")})
        found = table.get((namespace, name))
        if found is None and not self.complete("Secret", namespace=namespace, name=name):
            self.note("Secret", f"{namespace}/{name}")
        return found

    def unread_secret(self, namespace: str, name: str) -> str:
        """Why nobody knows whether a Secret exists: the end of a fact."""
        if self.coverage is None:
            return "it is not in the input"
        return self.coverage.unread_secret(namespace, name)

    def config_map(self, namespace: str, name: str) -> tuple[Meta, Mapping[str, Any]] | None:
        """A ConfigMap by name: its metadata and its files."""
        table = self.index("config maps", lambda: {(m.namespace, m.name): (m, data) for m, data in self.inventory.of("ConfigMap")})
        self.note("ConfigMap", namespace)
        return table.get((namespace, name))

    # ---- Istio ----

    def authorization_policies(self, workload: Workload) -> tuple[AuthorizationPolicy, ...]:
        """AuthorizationPolicies that apply to the sidecar or gateway in a workload's pods."""
        return self.once(("authorization", id(workload)), lambda: self._attached("AuthorizationPolicy", workload))

    def request_authentications(self, workload: Workload) -> tuple[RequestAuthentication, ...]:
        """RequestAuthentications that apply to a workload's pods."""
        return self.once(("request authentication", id(workload)), lambda: self._attached("RequestAuthentication", workload))

    def extensions(self, workload: Workload) -> tuple[Extension, ...]:
        """What may put anything into a workload's proxy: EnvoyFilters, WasmPlugins, TrafficExtensions."""

        def find() -> tuple[Extension, ...]:
            namespace, root, labels = workload.namespace, self.mesh.root_namespace, workload.pod_labels
            every = self.index("extensions", lambda: tuple(e for kind in EXTENSIONS for e in self.inventory.of(kind)))
            for kind in EXTENSIONS:
                for scope in (namespace, root):
                    self.note(kind, scope)
            return tuple(e for e in every if attaches(e.attachment, e.meta.namespace or "", namespace, labels, root))

        return self.once(("extensions", id(workload)), find)

    def peer_authentications(self, namespace: str) -> tuple[PeerAuthentication, ...]:
        """PeerAuthentications of a namespace and of the root namespace."""
        return self._in_scope("PeerAuthentication", namespace)

    def policies_in(self, kind: str, namespace: str) -> tuple[Any, ...]:
        """AuthorizationPolicies, RequestAuthentications or PeerAuthentications of one namespace."""
        self.note(kind, namespace)
        return self._policies[kind].get(namespace, ())

    def _in_scope(self, kind: str, namespace: str) -> tuple[Any, ...]:
        own, root = self.policies_in(kind, namespace), self.mesh.root_namespace
        return own if namespace == root else (*self.policies_in(kind, root), *own)

    def _attached(self, kind: str, workload: Workload) -> tuple[Any, ...]:
        root, namespace, labels = self.mesh.root_namespace, workload.namespace, workload.pod_labels
        found = tuple(p for p in self._in_scope(kind, namespace) if attaches(p.attachment, p.meta.namespace, namespace, labels, root))
        if GATEWAY_NAME in labels and not control_plane.switched(self, control_plane.SELECTORS_AT_GATEWAYS):
            return tuple(p for p in found if p.attachment.targets)
        return found
