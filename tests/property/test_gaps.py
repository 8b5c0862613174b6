"""What is not known is never taken for absent: each scenario with each kind made unknown, wholly or in one namespace.

A gap may make an answer `unknown`; it must never turn `denied` into `allowed` or `allowed` into `denied`, and an answer that stays must be
the one that the whole World gives.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from meshcheck.cli import trace as command
from meshcheck.cli.questions import question_of
from meshcheck.cli.sources import read_sources
from meshcheck.cli.world import build_world, world_of
from meshcheck.decode.registry import bucket_of, decoded_kinds
from meshcheck.load.read import Reading
from meshcheck.model.api_resources import plural_of
from meshcheck.model.cluster_kinds import CALL, MESH_CONFIG, cluster_kinds, kinds_for
from meshcheck.model.coverage import Coverage, Gap, whole
from meshcheck.model.inventory import Inventory
from meshcheck.model.mesh_config import MeshConfig
from meshcheck.model.question import Question
from meshcheck.model.trace import ALLOWED, DENIED, UNKNOWN, Trace
from meshcheck.semantics.tracing.trace import trace
from meshcheck.semantics.world import World
from tests.support import injectors
from tests.support.manifests import app, space, thing
from tests.unit.semantics.entry import test_gateway_api, test_ingress_nginx, test_other_ingress, test_ways_in

FOLDER = Path(__file__).resolve().parents[2] / "manifests" / "scenarios"
HEADINGS = tuple(dict.fromkeys(k.heading for k in kinds_for(CALL) if k.heading))
ALL = frozenset((*HEADINGS, MESH_CONFIG, "Secret"))
REASON = "could not be listed: forbidden"
INJECTOR = injectors.text(injectors.injector())
"""A cluster of which all is known has sidecars where its webhooks put them."""
NO_VERDICT = {"ServiceAccount"}
"""Read for what is said beside a verdict: names that a policy writes."""
BY_HAND = [
    space("shop", "a: b"),
    app("shop", "web"),
    "apiVersion: v1\nkind: Service\nmetadata: {name: ext, namespace: shop}\nspec: {ports: [{port: 80}]}\n",
    "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: IPv4\n"
    "metadata: {name: ext-1, namespace: shop, labels: {kubernetes.io/service-name: ext}}\nports: [{port: 80}]\n"
    "endpoints: [{addresses: [192.0.2.1]}]\n",
    "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: shop}\n"
    "spec: {containers: [{name: a, image: b}]}\nstatus: {podIP: 192.0.2.1}\n",
    thing("networking.k8s.io/v1", "NetworkPolicy", "shop", "n", "{podSelector: {}, policyTypes: [Egress]}"),
]
SMALL: dict[str, tuple[list[str], dict[str, Any]]] = {
    **{f"ingress {c[0]}": ([*test_other_ingress.BASE, *c[1]], c[2]) for c in test_other_ingress.CASES},
    **{f"nginx {c[0]}": (test_ingress_nginx.world(c[1], c[2]), c[3]) for c in test_ingress_nginx.CASES},
    **{f"istio {c[0]}": (c[1], c[2]) for c in test_ways_in.ISTIO},
    **{f"gateway {c[0]}": (c[1], c[2]) for c in test_gateway_api.CASES},
    "by hand": (BY_HAND, {"from": {"namespace": "shop", "workload": "web"}, "to": {"ip": "192.0.2.7", "port": 80}}),
    "a group of addresses": (
        [
            *BY_HAND[:-1],
            "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: c, namespace: shop}\nspec: {endpointSelector: {}, "
            "ingress: [{fromEntities: [all]}], ingressDeny: [{fromCIDRSet: [{cidrGroupRef: bad}]}]}\n",
        ],
        {"from": {"ip": "198.51.100.7"}, "to": {"namespace": "shop", "workload": "web", "port": 8080}},
    ),
    "a Service without a selector": (BY_HAND[:-1], {"from": {"namespace": "shop", "workload": "web"}, "to": {"url": "http://ext.shop/"}}),
}
NAMES = (*sorted(path.name for path in FOLDER.iterdir() if path.is_dir()), *SMALL)


@cache
def _scenario(name: str) -> tuple[World, Question]:
    if name in SMALL:
        documents, asked = SMALL[name]
        reading = Reading()
        reading.add_text("world.yaml", "---\n".join([*documents, INJECTOR]))
        return build_world(reading), question_of({"id": name, **asked})
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(FOLDER / name)
        options = command.parser().parse_args(shlex.split((FOLDER / name / "question.txt").read_text()))
        reading = read_sources(options)
        reading.add_text("injector.yaml", INJECTOR)
        return world_of(options, reading), command._question(options)


def _with(world: World, coverage: Coverage, objects: dict[str, tuple[Any, ...]] | None = None, mesh: MeshConfig | None = None) -> World:
    had = world.inventory
    inventory = Inventory(had.objects if objects is None else objects, had.refused, had.noted, had.not_decoded, coverage)
    return World(inventory, mesh or world.mesh, injected=world.injected)


@cache
def _truth(name: str) -> Trace:
    world, question = _scenario(name)
    return trace(_with(world, whole(ALL)), question, explain=False)


def _namespace(thing: Any) -> str:
    meta = thing[0] if isinstance(thing, tuple) else thing.meta
    return str(meta.ref.namespace or meta.name) if meta is not None else ""


def _gaps(world: World, heading: str) -> Iterator[tuple[Coverage, dict[str, tuple[Any, ...]]]]:
    """The World without a kind, and without that kind in each of the namespaces that have it."""
    objects = world.inventory.objects
    yield Coverage(ALL, (Gap(heading, heading, None, REASON),)), {**objects, heading: ()}
    for namespace in dict.fromkeys(map(_namespace, objects.get(heading, ()))):
        kept = tuple(o for o in objects[heading] if _namespace(o) != namespace)
        yield Coverage(ALL, (Gap(heading, heading, namespace, REASON),)), {**objects, heading: kept}


@pytest.mark.parametrize("name", NAMES)
def test_a_gap_never_turns_an_answer(name: str) -> None:
    world, question = _scenario(name)
    truth = _truth(name)
    for heading in (*HEADINGS, "Secret"):
        for coverage, objects in _gaps(world, heading):
            found = trace(_with(world, coverage, objects), question, explain=False)
            what = f"{heading} {[g.namespace for g in coverage.gaps]}: {truth.verdict} became {found.verdict}, {found.missing}"
            assert found.verdict in (UNKNOWN, truth.verdict), what
            if found.verdict == UNKNOWN and truth.verdict != UNKNOWN:
                assert found.missing, what
                assert any(REASON in m.fact or "not in the input" in m.fact for m in found.missing), what


@pytest.mark.parametrize("name", NAMES)
def test_what_was_never_read_decides_nothing(name: str) -> None:
    """A World of which nothing was read in full, though its objects are there: nothing is allowed."""
    world, question = _scenario(name)
    found = trace(_with(world, Coverage(frozenset())), question, explain=False)
    assert found.verdict in (UNKNOWN, _truth(name).verdict)
    assert found.verdict != ALLOWED


def test_unknown_mesh_config_matters_only_to_a_mesh() -> None:
    gap = Coverage(ALL, (Gap("ConfigMap", MESH_CONFIG, None, "could not be read: forbidden"),))
    counted = {ALLOWED: 0, DENIED: 0, UNKNOWN: 0}
    for name in NAMES:
        world, question = _scenario(name)
        found = trace(_with(world, gap, mesh=MeshConfig()), question, explain=False)
        counted[found.verdict] += 1
        assert found.verdict in (UNKNOWN, _truth(name).verdict), name
    assert counted[UNKNOWN] > 20
    assert counted[DENIED] > 10, "refusals by network policies stand without mesh config"


@pytest.mark.parametrize("heading", [h for h in HEADINGS if h not in NO_VERDICT])
def test_each_kind_matters_to_some_answer(heading: str) -> None:
    """Every kind that is read can make an answer unknown: were it not so, reading it, and the right to, would be for nothing."""
    coverage = Coverage(ALL, (Gap(heading, heading, None, REASON),))
    for name in NAMES:
        world, question = _scenario(name)
        found = trace(_with(world, coverage), question, explain=False)
        if found.verdict == UNKNOWN != _truth(name).verdict:
            assert any(m.fact.startswith(plural_of(heading)) for m in found.missing), found.missing
            return
    pytest.fail(f"{heading} is read, and no answer depends on it")


def test_table_of_kinds_is_that_of_the_decoders() -> None:
    """Every kind that has a decoder is read from a cluster, under the heading that decoding gives it; Secrets are not."""
    read = {(k.group, k.kind): k.heading for k in cluster_kinds()}
    versions = {group: f"{group}/v1" if group else "v1" for group, _ in decoded_kinds()}
    left_out = {("", "Secret"), ("", "Endpoints")} | {key for key in decoded_kinds() if key[0] == "extensions"}
    for group, kind in decoded_kinds():
        if (group, kind) in left_out:
            continue
        assert (group, kind) in read, f"{kind}.{group} is decoded and not read from a cluster"
        assert read[group, kind] in ("", bucket_of(versions[group], kind))
    assert ("", "Secret") not in read
