"""Which kinds an API server serves, and in which version.

Source: kubernetes/kubernetes:staging/src/k8s.io/api/apidiscovery/v2/types.go (aggregated discovery: two requests for everything);
older servers are asked group by group.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from meshcheck.errors import UnreadableError
from meshcheck.load.cluster.api import Api, ApiError
from meshcheck.model.api_resources import Resource
from meshcheck.model.cluster_kinds import ClusterKind
from meshcheck.model.record import NamedTuple

_AGGREGATED = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"
)
_VERSIONS: Mapping[str, tuple[str, ...]] = {"policy.networking.k8s.io": ("v1alpha2", "v1alpha1")}
"""Groups of which a version is asked for before the one that the server prefers: the kinds differ between versions."""


class Served(NamedTuple):
    """A kind as it is served: `api_version` is `group/version`."""

    kind: ClusterKind
    api_version: str

    def path(self, namespace: str | None = None) -> str:
        """The path of its list; of one namespace where one is given."""
        root = f"/apis/{self.api_version}" if self.kind.group else f"/api/{self.api_version}"
        return f"{root}/namespaces/{namespace}/{self.kind.plural}" if namespace else f"{root}/{self.kind.plural}"


class Discovery:
    """What is served. `versions`: group → versions in the server's order; `plurals`: those of a group and version; `down`: group → why.

    `resources`: all of them, by plural and group, as people name them.
    """

    def __init__(self, versions: dict[str, list[str]], plurals: dict[tuple[str, str], set[str]], down: dict[str, str]) -> None:
        self.versions, self.plurals, self.down = versions, plurals, down
        self.resources: dict[tuple[str, str], Resource] = {}

    def add(self, group: str, plural: str, namespaced: bool, names: Iterable[str]) -> None:
        """Note a resource; of several versions the first counts, which the server prefers."""
        others = tuple(dict.fromkeys(name.lower() for name in names if name))
        self.resources.setdefault((plural, group), Resource(plural, group, namespaced, others))

    def served(self, kind: ClusterKind) -> Served | None:
        """How a kind is served; None when it does not exist on this server, or is down (`down` says so)."""
        offered = self.versions.get(kind.group, [])
        wanted = [v for v in _VERSIONS.get(kind.group, ()) if v in offered]
        for version in (*wanted, *offered):
            if kind.plural in self.plurals.get((kind.group, version), ()):
                return Served(kind, f"{kind.group}/{version}" if kind.group else version)
        return None

    def has_group(self, group: str) -> bool:
        """Whether a group exists at all."""
        return group in self.versions


def discover(api: Api) -> Discovery:
    """Ask what is served. Raises UnreadableError where that may not be known, or the server cannot be reached."""
    try:
        return _discover(api)
    except ApiError as error:
        hint = ": whoever uses `--as` needs the right to impersonate" if "impersonate" in error.message else ""
        raise UnreadableError(f"{api.where}: which kinds it serves cannot be read: {error.code} {error.message}{hint}") from None


def _discover(api: Api) -> Discovery:
    found = Discovery({}, {}, {})
    for path in ("/api", "/apis"):
        answer = api.get(path, accept=_AGGREGATED)
        if answer.get("kind") == "APIGroupDiscoveryList":
            _aggregated(answer, found)
        elif path == "/api":
            for version in answer.get("versions") or ():
                _resources(api, found, "", version)
        else:
            for group in answer.get("groups") or ():
                preferred = (group.get("preferredVersion") or {}).get("version")
                versions = [v["version"] for v in group.get("versions") or ()]
                for version in sorted(versions, key=lambda v: v != preferred):
                    _resources(api, found, group["name"], version)
    return found


def _aggregated(answer: Mapping[str, Any], found: Discovery) -> None:
    for item in answer.get("items") or ():
        group = (item.get("metadata") or {}).get("name") or ""
        for version in item.get("versions") or ():
            name = version["version"]
            found.versions.setdefault(group, []).append(name)
            found.plurals[group, name] = {r["resource"] for r in version.get("resources") or ()}
            for r in version.get("resources") or ():
                names = (r.get("singularResource"), (r.get("responseKind") or {}).get("kind"), *(r.get("shortNames") or ()))
                found.add(group, r["resource"], r.get("scope") != "Cluster", names)
            if version.get("freshness") == "Stale":
                found.down[group] = "its API server does not answer the cluster's (its APIService is not available)"


def _resources(api: Api, found: Discovery, group: str, version: str) -> None:
    found.versions.setdefault(group, []).append(version)
    try:
        answer = api.get(f"/apis/{group}/{version}" if group else f"/api/{version}")
    except ApiError as error:
        found.down[group] = error.message
        return
    whole = [r for r in answer.get("resources") or () if "/" not in r["name"]]
    found.plurals[group, version] = {r["name"] for r in whole}
    for r in whole:
        found.add(group, r["name"], bool(r.get("namespaced")), (r.get("singularName"), r.get("kind"), *(r.get("shortNames") or ())))
