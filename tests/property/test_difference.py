"""What `diff` leaves out, and puts together, changes nothing: it finds what asking about every pair finds."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from meshcheck.analyse.affected import EVERYTHING, affected
from meshcheck.analyse.callers import Callers
from meshcheck.analyse.changed_objects import changed_objects
from meshcheck.analyse.difference import Difference, difference
from meshcheck.cli.world import build_world
from meshcheck.load.read import Reading
from meshcheck.model.trace import ALLOWED
from meshcheck.semantics.tracing.trace import trace

Json = dict[str, Any]
APPS = [("shop", "web"), ("shop", "cart"), ("shop", "db"), ("ops", "cron"), ("ops", "cart"), ("plain", "old")]


def _object(api: str, kind: str, namespace: str | None, name: str, **body: Any) -> Json:
    where = {"namespace": namespace} if namespace else {}
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, **where}, **body}


def _mesh(rng: random.Random) -> list[Json]:
    docs = [
        _object("v1", "Namespace", None, name) | {"metadata": {"name": name, "labels": labels}}
        for name, labels in (
            ("shop", {"istio-injection": "enabled"}),
            ("ops", {"istio-injection": "enabled", "team": "ops"}),
            ("plain", {}),
        )
    ]
    for namespace, name in APPS:
        labels = {"app": name, "tier": rng.choice(["front", "back"])}
        pod = {
            "serviceAccountName": rng.choice([name, "shared"]),
            "containers": [{"name": "a", "image": "b", "ports": [{"containerPort": 8080}]}],
        }
        template = {"metadata": {"labels": labels}, "spec": pod}
        docs.append(
            _object("apps/v1", "Deployment", namespace, name, spec={"selector": {"matchLabels": {"app": name}}, "template": template})
        )
        ports = [{"name": rng.choice(["http", "tcp"]), "port": 80, "targetPort": 8080}]
        docs.append(_object("v1", "Service", namespace, name, spec={"selector": {"app": name}, "ports": ports}))
    return docs + [_policy(rng, number) for number in range(rng.randint(2, 6))]


def _ambient(rng: random.Random) -> list[Json]:
    """A mesh in ambient mode, some of it with sidecars, and waypoints that some Services, pods and namespaces use."""
    docs = []
    for doc in _mesh(rng):
        labels: Json = {}
        if doc["kind"] == "Namespace" and doc["metadata"]["name"] != "plain":
            labels = {"istio.io/dataplane-mode": "ambient", **_uses(rng, 0.2)}
            doc = _object("v1", "Namespace", None, doc["metadata"]["name"], metadata={"name": doc["metadata"]["name"], "labels": labels})
        elif doc["kind"] == "Service":
            doc = {**doc, "metadata": {**doc["metadata"], "labels": _uses(rng, 0.5)}}
        elif doc["kind"] == "Deployment":
            labels = {
                **_uses(rng, 0.3),
                **rng.choice([{}, {}, {}, {"sidecar.istio.io/inject": "true"}, {"istio.io/dataplane-mode": "none"}]),
            }
            doc["spec"]["template"]["metadata"]["labels"] |= labels
        docs.append(doc)
    return (
        docs
        + [_waypoint(rng, namespace) for namespace in ("shop", "ops") if rng.random() < 0.9]
        + [_targeted(rng, number) for number in range(rng.randint(1, 4))]
    )


def _uses(rng: random.Random, chance: float) -> Json:
    if rng.random() >= chance:
        return {}
    other = {"istio.io/use-waypoint-namespace": rng.choice(["shop", "ops"])} if rng.random() < 0.3 else {}
    return {"istio.io/use-waypoint": rng.choice(["wp", "wp", "wp", "none"]), **other}


def _waypoint(rng: random.Random, namespace: str) -> Json:
    listener = {"name": "mesh", "port": 15008, "protocol": "HBONE"}
    allowed = {"allowedRoutes": {"namespaces": {"from": rng.choice(["All", "Same"])}}} if rng.random() < 0.6 else {}
    labels = {"istio.io/waypoint-for": rng.choice(["service", "all", "workload"])} if rng.random() < 0.6 else {}
    spec = {"gatewayClassName": "istio-waypoint", "listeners": [{**listener, **allowed}]}
    return _object(
        "gateway.networking.k8s.io/v1",
        "Gateway",
        namespace,
        "wp",
        metadata={"name": "wp", "namespace": namespace, "labels": labels},
        spec=spec,
    )


def _targeted(rng: random.Random, number: int) -> Json:
    """A policy, or a route, that belongs to a Service or to a waypoint."""
    namespace, name = rng.choice(["shop", "ops"]), f"pt{number}"
    service = {"group": "", "kind": "Service", "name": rng.choice(["web", "cart", "db"])}
    if rng.random() < 0.2:
        rule = {
            "matches": [{"path": {"type": "PathPrefix", "value": rng.choice(["/", "/api"])}}],
            "backendRefs": [{"name": rng.choice(["cart", "db"]), "port": 80}],
        }
        return _object(
            "gateway.networking.k8s.io/v1", "HTTPRoute", namespace, name, spec={"parentRefs": [{**service, "port": 80}], "rules": [rule]}
        )
    policy = _policy(rng, 0)
    while policy["kind"] != "AuthorizationPolicy":
        policy = _policy(rng, 0)
    spec = {key: value for key, value in policy["spec"].items() if key != "selector"}
    target = service if rng.random() < 0.6 else {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "wp"}
    return _object("security.istio.io/v1", "AuthorizationPolicy", namespace, name, spec={**spec, "targetRefs": [target]})


def _moved(rng: random.Random, docs: list[Json]) -> list[Json]:
    """The same mesh with a waypoint, or what uses one, changed; or not."""
    out = list(docs)
    deed = rng.choice(["", "", "use", "use", "waypoint", "policy", "mode"])
    kind = {"use": rng.choice(["Service", "Namespace"]), "waypoint": "Gateway", "mode": "Namespace"}.get(deed, "")
    found = [n for n, doc in enumerate(out) if doc["kind"] == kind]
    if deed == "policy":
        return [*out, _targeted(rng, 90)]
    if not found:
        return out
    at = rng.choice(found)
    meta = out[at]["metadata"]
    kept = {key: value for key, value in meta.get("labels", {}).items() if "use-waypoint" not in key}
    if deed == "waypoint":
        return out[:at] + ([_waypoint(rng, meta["namespace"])] if rng.random() < 0.7 else []) + out[at + 1 :]
    labels = (
        {**kept, **_uses(rng, 0.7)}
        if deed == "use"
        else {**meta.get("labels", {}), "istio.io/dataplane-mode": rng.choice(["ambient", "none"])}
    )
    out[at] = {**out[at], "metadata": {**meta, "labels": labels}}
    return out


def _selector(rng: random.Random) -> Json:
    return rng.choice(
        [{}, {"matchLabels": {"app": rng.choice(["web", "cart", "db"])}}, {"matchLabels": {"tier": rng.choice(["front", "back"])}}]
    )


def _policy(rng: random.Random, number: int) -> Json:
    kind = rng.choice(["AuthorizationPolicy", "AuthorizationPolicy", "NetworkPolicy", "NetworkPolicy", "PeerAuthentication"])
    kind = rng.choice([kind, kind, kind, "VirtualService", "DestinationRule", "Sidecar"])
    namespace, name = rng.choice(["shop", "ops", "plain", "istio-system"]), f"p{number}"
    if kind == "NetworkPolicy":
        peers = [rng.choice([{"podSelector": _selector(rng)}, {"namespaceSelector": {"matchLabels": {"team": "ops"}}}])]
        rule = {rng.choice(["from", "x"]): peers, "ports": [{"port": rng.choice([8080, 80, 53])}]}
        spec: Json = {"podSelector": _selector(rng)}
        if rng.random() < 0.7:
            spec |= {"policyTypes": ["Ingress"], "ingress": [{k: v for k, v in rule.items() if k != "x"}] if rng.random() < 0.8 else []}
        else:
            spec |= {
                "policyTypes": ["Egress"],
                "egress": [{"to": peers}, {"ports": [{"port": 53, "protocol": "UDP"}]}][: rng.randint(0, 2)],
            }
        return _object("networking.k8s.io/v1", kind, namespace, name, spec=spec)
    if kind == "PeerAuthentication":
        mode = {"mtls": {"mode": rng.choice(["STRICT", "DISABLE", "PERMISSIVE"])}}
        return _object("security.istio.io/v1", kind, namespace, name, spec=mode | ({"selector": s} if (s := _selector(rng)) else {}))
    if kind == "VirtualService":
        match = {"match": [{"uri": {"prefix": "/api"}, "sourceLabels": {"tier": "front"}}]} if rng.random() < 0.5 else {}
        http = [{**match, "route": [{"destination": {"host": rng.choice(["cart.ops.svc.cluster.local", "cart"])}}]}]
        return _object(
            "networking.istio.io/v1", kind, rng.choice(["shop", "ops"]), name, spec={"hosts": [rng.choice(["cart", "db"])], "http": http}
        )
    if kind == "DestinationRule":
        tls = {"trafficPolicy": {"tls": {"mode": rng.choice(["DISABLE", "ISTIO_MUTUAL"])}}}
        return _object(
            "networking.istio.io/v1",
            kind,
            rng.choice(["shop", "ops"]),
            name,
            spec={"host": rng.choice(["cart", "*.shop.svc.cluster.local"]), **tls},
        )
    if kind == "Sidecar":
        return _object(
            "networking.istio.io/v1",
            kind,
            rng.choice(["shop", "ops"]),
            name,
            spec={"egress": [{"hosts": [rng.choice(["./*", "shop/*", "*/*"])]}]},
        )
    source = rng.choice(
        [{"namespaces": ["ops"]}, {"principals": ["cluster.local/ns/shop/sa/*"]}, {"principals": ["*/shared"]}, {"notNamespaces": ["ops"]}]
    )
    operation = rng.choice([{"methods": ["GET"]}, {"paths": ["/api/*"]}, {"ports": ["8080"]}])
    rule = {key: value for key, value in (("from", [{"source": source}]), ("to", [{"operation": operation}])) if rng.random() < 0.7}
    spec = {"action": rng.choice(["ALLOW", "ALLOW", "DENY"]), "rules": [rule]}
    return _object("security.istio.io/v1", kind, namespace, name, spec=spec | ({"selector": s} if (s := _selector(rng)) else {}))


def _changed(rng: random.Random, docs: list[Json]) -> list[Json]:
    """The same mesh with a policy added, removed or replaced, or a workload relabelled, added or removed."""
    out = list(docs)
    for _ in range(rng.randint(1, 2)):
        policies = [n for n, doc in enumerate(out) if doc["metadata"]["name"].startswith("p") and doc["kind"] != "Namespace"]
        deeds = ["add", "remove", "replace", "label", "drop", "port"]
        deed = rng.choice(deeds if policies else ["add", "label", "port"])
        if deed == "add":
            out.append(_policy(rng, 50 + rng.randint(0, 9)))
        elif deed == "remove":
            out.pop(rng.choice(policies))
        elif deed == "replace":
            at = rng.choice(policies)
            out[at] = _policy(rng, 70)
        else:
            kind = "Service" if deed == "port" else "Deployment"
            at = rng.choice([n for n, doc in enumerate(out) if doc["kind"] == kind])
            if deed == "drop":
                out.pop(at)
            elif deed == "port":
                ports = [{"name": rng.choice(["http", "tcp"]), "port": 80, "targetPort": 8080}]
                out[at] = {**out[at], "spec": {**out[at]["spec"], "ports": ports}}
            else:
                spec = out[at]["spec"]
                template = {
                    **spec["template"],
                    "metadata": {"labels": {"app": out[at]["metadata"]["name"], "tier": rng.choice(["front", "back"])}},
                }
                out[at] = {**out[at], "spec": {**spec, "template": template}}
    return out


def _reading(docs: list[Json]) -> Reading:
    reading = Reading()
    reading.add_values("mesh", docs)
    return reading


def _rows(found: Difference) -> set[tuple[object, ...]]:
    """Each caller and target with what becomes of its requests."""

    def answer(one: Any) -> object:
        return one and (one.verdict, one.symptom.kind, one.symptom.status, one.policy, one.policy_id)

    return {(caller, c.target, c.kind, answer(c.old), answer(c.new)) for c in found.changes for caller in c.callers}


@pytest.mark.parametrize("make", [_mesh, _ambient], ids=["sidecars", "ambient"])
@pytest.mark.parametrize("seed", range(120))
def test_nothing_is_missed(seed: int, make: Callable[[random.Random], list[Json]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Asking about classes of callers and about what is touched finds what asking each caller about each target finds."""
    rng = random.Random(seed)
    before = make(rng)
    after = _changed(rng, before)
    readings = _reading(before), _reading(_moved(rng, after) if make is _ambient else after)
    worlds = tuple(build_world(reading, closed=True) for reading in readings)
    old, new = worlds
    changes = changed_objects(readings[0].documents, readings[1].documents)
    quick = difference(old, new, affected((old, new), changes))
    monkeypatch.setattr(Callers, "groups", lambda self, _goal: [(name,) for name in self._every])
    whole = difference(old, new, EVERYTHING)
    assert _rows(quick) == _rows(whole)
    assert quick.asked <= whole.asked
    for change in quick.changes:  # examples are what they claim to be
        for world, one in ((old, change.old), (new, change.new)):
            if one is not None:
                assert trace(world, change.witness, explain=False).verdict == one.verdict
        assert (change.kind == "opens") <= (change.new is not None and change.new.verdict == ALLOWED)
