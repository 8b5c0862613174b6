"""The kinds that a question needs, read in parallel; what could not be read becomes a gap."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from meshcheck.load.cluster import settings
from meshcheck.load.cluster.api import Api, ApiError
from meshcheck.load.cluster.discovery import Discovery, Served, discover
from meshcheck.load.cluster.lists import Listed, list_objects
from meshcheck.model.cluster_kinds import CALL, MESH_CONFIG, ClusterKind, kinds_for
from meshcheck.model.coverage import Coverage, Gap
from meshcheck.model.record import record, value

if TYPE_CHECKING:
    from meshcheck.load.read import Reading
    from meshcheck.load.snapshot.part import Listing

THREADS = 4
CERTIFICATES = ("kube-root-ca.crt", "istio-ca-root-cert", "openshift-service-ca.crt")
"""ConfigMaps that every namespace has and nobody reads."""
NOT_CHOSEN = "were not read (other namespaces were asked for)"
"""Why objects of other namespaces are not known where somebody says which ones are read."""


@value
class Wanted:
    """What to read of a cluster.

    `uses`: CALL, RBAC. `namespaces`: read kinds of namespaces in these only; empty for all. `near`: namespaces that are asked about one by
    one where not all may be listed. `secrets`: (namespace, name) of Secrets that may be read.
    """

    uses: tuple[str, ...] = (CALL,)
    namespaces: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    secrets: tuple[tuple[str, str], ...] = ()
    root_namespace: str | None = None


@record
class Part:
    """What was read of one kind: `gaps` where it is not all."""

    kind: ClusterKind
    items: list[dict[str, Any]]
    gaps: tuple[Gap, ...] = ()
    resource_version: str = ""
    torn: bool = False


def read_cluster(
    api: Api,
    reading: Reading,
    wanted: Wanted,
    on_progress: Callable[[str, int], None] | None = None,
    listing: Listing | None = None,
) -> Discovery:
    """Add a cluster's objects and coverage to a Reading. `on_progress` is told kind and number of objects as they come.

    `listing` keeps what was listed, and has what an earlier run had listed, which is not read again.

    Raises UnreadableError when the cluster cannot be reached at all, or does not know who asks.
    """
    found = discover(api)
    kinds = kinds_for(*wanted.uses)
    parts = _Parts(api, found, wanted, on_progress, listing).read(kinds)
    fill(reading, parts, found, wanted, *settings.read_secrets(api, wanted.secrets))
    reading.served = tuple(found.resources.values())
    return found


def fill(
    reading: Reading,
    parts: Sequence[Part],
    found: Discovery,
    wanted: Wanted,
    named: Mapping[tuple[str, str], dict[str, Any] | None] | None = None,
    gaps: Sequence[Gap] = (),
) -> None:
    """Put what was read of each kind into a Reading, with its coverage. `named`: Secrets that were asked for, by (namespace, name)."""
    mesh = settings.mesh_config_gap(parts, found, wanted)
    read = {part.kind.heading for part in parts if part.kind.heading} | ({MESH_CONFIG} if CALL in wanted.uses else set())
    every = (*(gap for part in parts for gap in part.gaps), *gaps, *((mesh,) if mesh else ()))
    for part in parts:
        reading.add_objects(part.items)
    reading.add_objects(item for item in (named or {}).values() if item is not None)
    reading.torn += tuple(part.kind.kind for part in parts if part.torn)
    reading.coverage = Coverage(frozenset(read), tuple(dict.fromkeys(every)), frozenset(("Secret", *key) for key in named or ()))


class _Parts:
    """Reads kinds one after the other in a few threads."""

    def __init__(
        self, api: Api, found: Discovery, wanted: Wanted, on_progress: Callable[[str, int], None] | None, listing: Listing | None
    ) -> None:
        self.api, self.found, self.wanted, self.on_progress, self.listing = api, found, wanted, on_progress, listing
        self.moment = listing.moment if listing else None

    def read(self, kinds: Iterable[ClusterKind]) -> list[Part]:
        """All kinds. The first list gives the moment of which the others are read: policies and pods belong together."""
        rest = list(kinds)
        done: list[Part] = []
        while rest and self.moment is None:
            part = self._kept(rest.pop(0))
            self.moment = part.resource_version or None
            done.append(part)
        with ThreadPoolExecutor(THREADS) as threads:
            return [*done, *threads.map(self._kept, rest)]

    def _kept(self, kind: ClusterKind) -> Part:
        if self.listing is None:
            return self._kind(kind)
        part = self.listing.earlier(kind)
        if part is None:
            part = self._kind(kind)
            self.listing.add(part)
        return part

    def _kind(self, kind: ClusterKind) -> Part:
        if kind.group in self.found.down:
            return Part(kind, [], (self._gap(kind, None, f"could not be listed: {self.found.down[kind.group]}"),))
        served = self.found.served(kind)
        if served is None:
            return Part(kind, [])  # no such kind in this cluster: there are no objects of it, and that is known
        if kind.namespaced and self.wanted.namespaces:
            return self._some(served, self.wanted.namespaces, NOT_CHOSEN, chosen=True)
        try:
            return self._listed(served, self._list(served, None))
        except ApiError as error:
            reason = f"could not be listed: {words(error)}"
            if error.code != 403 or not self.wanted.near:
                return Part(kind, [], (self._gap(kind, None, reason),))
        if kind.kind == "Namespace":
            return self._by_name(served, reason)
        return self._some(served, self.wanted.near, reason) if kind.namespaced else Part(kind, [], (self._gap(kind, None, reason),))

    def _some(self, served: Served, namespaces: Iterable[str], reason: str, chosen: bool = False) -> Part:
        """A kind in some namespaces, where all of them may not be listed or are not wanted."""
        items: list[dict[str, Any]] = []
        known: list[str] = []
        gaps: list[Gap] = []
        for namespace in dict.fromkeys(namespaces):
            try:
                items += self._list(served, namespace).items
                known.append(namespace)
            except ApiError as error:
                if error.code != 403 or self.wanted.namespaces:
                    gaps.append(self._gap(served.kind, namespace, f"could not be listed: {words(error)}"))
        others = (*known, *(gap.namespace for gap in gaps if gap.namespace))
        return Part(served.kind, items, (*gaps, self._gap(served.kind, None, reason, others, chosen)))

    def _by_name(self, served: Served, reason: str) -> Part:
        """Namespaces one by one: who may see a namespace may often get it, and not list all."""
        items: list[dict[str, Any]] = []
        known: list[str] = []
        for name in self.wanted.near:
            try:
                items.append(self.api.get(f"/api/v1/namespaces/{name}"))
                known.append(name)
            except ApiError as error:
                if error.code == 404:
                    known.append(name)
        return Part(served.kind, items, (self._gap(served.kind, None, reason, tuple(known)),))

    def _list(self, served: Served, namespace: str | None) -> Listed:
        def on_page(number: int) -> None:
            if self.on_progress:
                self.on_progress(served.kind.kind, number)

        return list_objects(self.api, served, namespace, moment=self.moment, field_selector=selector_of(served.kind), on_page=on_page)

    def _listed(self, served: Served, listed: Listed) -> Part:
        return Part(served.kind, listed.items, (), listed.resource_version, listed.torn)

    def _gap(self, kind: ClusterKind, namespace: str | None, reason: str, others: tuple[str, ...] = (), chosen: bool = False) -> Gap:
        return Gap(kind.kind, kind.heading, namespace, reason, others, kind.namespaced, chosen)


def selector_of(kind: ClusterKind) -> str | None:
    """The field selector that leaves out what nobody reads."""
    return ",".join(f"metadata.name!={name}" for name in CERTIFICATES) if kind.kind == "ConfigMap" else None


def words(error: ApiError) -> str:
    """A refusal in words: who may not do what, as the server says it."""
    if error.code == 403:
        return f"forbidden ({error.message.partition(' is forbidden: ')[2] or error.message})"
    if error.code == 0:
        return f"no answer ({error.message})"
    return f"{error.code} {error.message}"
