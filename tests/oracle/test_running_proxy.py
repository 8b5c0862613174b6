"""What a real istiod sends is what meshcheck expects of it, policy by policy; and the running rules decide as the manifests do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from meshcheck.cli.questions import question_of
from meshcheck.cli.world import build_world
from meshcheck.decode.proxy_config.dump import proxy_of
from meshcheck.load.read import Reading
from meshcheck.model.core import Workload
from meshcheck.model.proxy_config import RunningProxy
from meshcheck.semantics.running_proxy.comparison import compare_call
from meshcheck.semantics.running_proxy.differences import differences
from meshcheck.semantics.tracing.call import Arrived
from meshcheck.semantics.tracing.trace import trace
from meshcheck.semantics.world import World
from tests.oracle import gen_sidecar
from tests.oracle.dump import dump
from tests.oracle.istiod import configurations
from tests.oracle.run_sidecar import _World
from tests.oracle.tokens import Jwt
from tests.oracle.world import documents, workload

pytestmark = pytest.mark.oracle
ROOT = Path(__file__).resolve().parents[2]


def _world(text: str, mesh: str | None) -> World:
    reading = Reading()
    reading.add_text("manifests", text)
    return build_world(reading, closed=True, mesh_text=mesh)


def _agree(world: World, question: dict[str, Any], proxy: RunningProxy, workload: Workload) -> bool:
    """Whether both could be asked about a call; they must then say the same."""
    arrivals: list[Arrived] = []
    found = trace(world, question_of(question), arrivals=arrivals)
    said = compare_call(proxy, workload, arrivals, world, found).answer if arrivals else None
    decided = found.decided_at[1] if found.decided_at else None
    if said is None or said.allowed is None or found.verdict == "unknown":
        return False
    if decided is not None and decided.name not in ("mtls", "authorization"):
        return False
    assert said.allowed == (found.verdict == "allowed"), (question, said)
    assert decided is None or decided.policy_id is None or said.policy_id == decided.policy_id
    return True


def test_random_worlds_have_no_differences(istiod: str) -> None:
    """60 random worlds: nothing differs, in no chain; and where RBAC alone decides, the rules of the proxy say what the trace says."""
    jwt = Jwt(gen_sidecar.ISSUERS)
    asked = [_World.of(gen_sidecar.case(seed, jwt), n) for n, seed in enumerate(range(7000, 7060))]
    configured = configurations(istiod, [world.case() for world in asked])
    policies, answers = 0, 0
    for one in asked:
        if configured[one.line["id"]].get("error"):
            continue
        world = _world(one.case()["manifests"], one.line.get("mesh_config"))
        for key, target in one.targets.items():
            listeners: list[dict[str, Any]] = configured[one.line["id"]]["proxies"][target.id]["listeners"]
            section = {
                "@type": "type.googleapis.com/envoy.admin.v3.ListenersConfigDump",
                "static_listeners": [{"listener": x} for x in listeners],
            }
            proxy = proxy_of({"configs": [section]}, "istiod")
            workload = world.find_workload(*key)
            assert workload is not None
            assert differences(world, workload, proxy) == (), one.line["id"]
            policies += sum(len(rules.policies) for chain in proxy.inbound for rules in chain.rules)
            for question in one.line["questions"]:
                if _agree(world, question, proxy, workload):
                    answers += 1
    assert policies > 500
    assert answers > 200


def test_a_fresh_dump_of_a_real_envoy(istiod: str) -> None:
    """The recorded dump of the unit tests, made anew: Envoy writes the configuration as istiod sent it."""
    text = (ROOT / "manifests/scenarios/method-not-allowed/manifests.yaml").read_text()
    found = proxy_of(dump(text, "shop", "cart", istiod), "fresh")
    world = _world(text, None)
    workload = world.find_workload("shop", "cart")
    assert workload is not None
    assert (found.namespace, found.workload) == ("shop", "cart")
    assert differences(world, workload, found) == ()
    assert any(rules.policies for chain in found.inbound for rules in chain.rules)


def test_routes_of_the_caller(istiod: str) -> None:
    """What istiod sends to the caller has a route for each host and its cluster; without one of them the difference is named."""
    text = (ROOT / "manifests/scenarios/method-not-allowed/manifests.yaml").read_text()
    docs = documents(text)
    pods = [workload(docs, "shop", name) for name in ("frontend", "cart")]
    case = {"id": "w", "manifests": text + "".join(pod.pod() for pod in pods), "mesh_config": "", "proxies": [pods[0].proxy("sidecar")]}
    sent = configurations(istiod, [case])["w"]["proxies"][pods[0].id]
    node = {"id": "sidecar~10.0.0.1~frontend.shop~x", "metadata": {"NAMESPACE": "shop", "WORKLOAD_NAME": "frontend"}}

    def said(host: str, routes: list[Any], clusters: list[Any]) -> list[str]:
        sections = [
            {"@type": "BootstrapConfigDump", "bootstrap": {"node": node}},
            {"@type": "ListenersConfigDump", "static_listeners": [{"listener": listener} for listener in sent["listeners"]]},
            {"@type": "RoutesConfigDump", "static_route_configs": [{"route_config": table} for table in routes]},
            {"@type": "ClustersConfigDump", "static_clusters": [{"cluster": cluster} for cluster in clusters]},
        ]
        proxy = proxy_of({"configs": sections}, "istiod")
        world = _world(text, None)
        question = question_of({"from": {"namespace": "shop", "workload": "frontend"}, "to": {"url": f"http://{host}/"}})
        arrivals: list[Arrived] = []
        found = trace(world, question, arrivals=arrivals)
        caller = world.find_workload("shop", "frontend")
        assert caller is not None
        return [difference.message for difference in compare_call(proxy, caller, arrivals, world, found).differences]

    for host in ("cart", "cart.shop", "cart.shop.svc", "cart.shop.svc.cluster.local"):
        assert said(host, sent["routes"], sent["clusters"]) == []
    emptied = [{**table, "virtual_hosts": [h for h in table["virtual_hosts"] if h["domains"] == ["*"]]} for table in sent["routes"]]
    (words,) = said("cart.shop", emptied, sent["clusters"])
    assert words.startswith("the proxy of the caller has no route for `cart.shop` on port 80 (yet)")
    (words,) = said("cart.shop", sent["routes"], [c for c in sent["clusters"] if "cart" not in c["name"]])
    assert "routes to `outbound|80||cart.shop.svc.cluster.local`, and has no such cluster (yet)" in words
