"""What `diff` leaves out, and puts together, changes nothing: it finds what asking about every pair finds."""

from __future__ import annotations

import random
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


@pytest.mark.parametrize("seed", range(120))
def test_nothing_is_missed(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asking about classes of callers and about what is touched finds what asking each caller about each target finds."""
    rng = random.Random(seed)
    before = _mesh(rng)
    readings = _reading(before), _reading(_changed(rng, before))
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
