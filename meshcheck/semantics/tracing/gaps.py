"""What an answer is worth where the cluster could not be read in full.

Every answer knows which kinds were looked at on the way to it, and in which namespaces (`world/reads.py`). Where some of that is not known,
a call that seems allowed is `unknown`. A call that is denied stays denied where the unknown objects could not undo the refusal: they could
only refuse it as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from meshcheck.model.coverage import Coverage
from meshcheck.model.foreign_policies import foreign_headings
from meshcheck.model.istio_networking import EXTENSIONS
from meshcheck.model.question import Question
from meshcheck.model.record import replace
from meshcheck.model.trace import DENIED, UNKNOWN, Missing, Station, Trace
from meshcheck.semantics.world.reads import Looked

_ADMIN = frozenset(["AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy"])
_EXTENSIONS = frozenset([*EXTENSIONS, "EnvoyExtensionPolicy", "EnvoyPatchPolicy"])
_ON_THE_WIRE = frozenset(["dns", "network-policy", "load-balancer"])
_BY_TOKEN = frozenset(["authorization", "custom", "request-authentication"])
_NEEDED_BY = {
    "NetworkPolicy": "network-policy",
    **dict.fromkeys((*_ADMIN, *foreign_headings()), "network-policy"),
    **dict.fromkeys(_EXTENSIONS, "extensions"),
    "AuthorizationPolicy": "authorization",
    "RequestAuthentication": "request-authentication",
    "PeerAuthentication": "mtls",
}


def weighed(found: Trace, looked: Iterable[Looked], coverage: Coverage, root: str) -> Trace:
    """A trace in the light of what is not known of the objects that were looked at. `root` is Istio's root namespace."""
    unknown: dict[Missing, bool] = {}
    blindly = {(item.heading, item.namespace) for item in looked if not item.knowing}
    for heading, namespace in sorted(blindly, key=lambda item: (item[0], item[1] or "")):
        for fact in _facts(coverage, heading, namespace):
            missing = Missing(fact, _NEEDED_BY.get(heading, "the call"))
            unknown[missing] = unknown.get(missing, False) or _may_undo(found, heading, namespace, root)
    if not unknown:
        return found
    if found.verdict != DENIED:
        facts = tuple(dict.fromkeys((*found.missing, *unknown)))
        return replace(found, verdict=UNKNOWN, missing=facts)
    decisive = tuple(missing for missing, undoes in unknown.items() if undoes)
    rest = tuple(f"{missing.fact}: they could only refuse it as well" for missing in unknown if missing not in decisive)
    if not decisive:
        return replace(found, notes=(*found.notes, *rest))
    note = "what is known refuses it; what is not known may let it through"
    return replace(found, verdict=UNKNOWN, missing=decisive, notes=(*found.notes, note))


def _facts(coverage: Coverage, heading: str, namespace: str | None) -> Iterator[str]:
    """What is not known of the objects. Secrets are looked for one by one, by `namespace/name`."""
    if heading == "Secret" and namespace is not None:
        own, _, name = namespace.partition("/")
        if not coverage.complete(heading, own, name):
            yield f"the Secret `{namespace}`: {coverage.unread_secret(own, name)}"
        return
    for gap in coverage.lacking(heading, namespace):
        yield gap.fact(namespace)


def _may_undo(found: Trace, heading: str, namespace: str | None, root: str) -> bool:
    """Whether objects that are not known might turn a refusal."""
    decided = found.decided_at
    if found.verdict != DENIED or decided is None:
        return True
    station = decided[1]
    if heading in _EXTENSIONS:
        return False
    if heading == "NetworkPolicy":
        return station.name in ("network-policy", "dns") and _undone_by_policies(station, namespace)
    other = foreign_headings().get(heading)
    if other is not None and not other.opens:
        return False
    if heading in _ADMIN or other is not None:
        return station.name in ("network-policy", "dns")
    if heading == "AuthorizationPolicy":
        own = (station.workload or "").partition("/")[0]
        return station.name == "authorization" and station.policy_id in ("none", None) and namespace in (None, root, own)
    if heading == "RequestAuthentication":
        return station.name in _BY_TOKEN and _may_carry_token(found.question)
    return heading != "PeerAuthentication" or station.name not in _ON_THE_WIRE


def _undone_by_policies(station: Station, namespace: str | None) -> bool:
    """More NetworkPolicies may allow what isolation or the baseline refuses, in the namespace of the pod; not what an admin policy does."""
    decider = station.decider
    if decider is not None and decider.meta.ref.kind == "AdminNetworkPolicy":
        return False
    return station.name == "dns" or namespace is None or namespace == (station.workload or "").partition("/")[0]


def _may_carry_token(question: Question) -> bool:
    """Whether there is anything in a request that some RequestAuthentication might take for a token."""
    return bool(question.jwt or question.claims is not None or question.headers or "?" in (question.path or ""))
