"""A watch that asks again only what a change has touched says what a pass over everything says, after every change.

Objects of several scenarios come, go and change at random; questions, assertions and all rules of lint are carried out with a memory that
lives on, and without one. MESHCHECK_SEQUENCES=N tries more.
"""

from __future__ import annotations

import copy
import json
import os
import random
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from meshcheck.cli import trace as trace_command
from meshcheck.cli.world import build_world
from meshcheck.decode.admission import problems
from meshcheck.job.examine import examine
from meshcheck.job.memory import Memory
from meshcheck.job.seen import Seen
from meshcheck.job.settings import Asked, AssertionCheck, Check, LintCheck, QuestionCheck
from meshcheck.job.time_limit import TimeLimit
from meshcheck.load.read import Reading
from meshcheck.model.cluster_kinds import CALL, MESH_CONFIG, kinds_for
from meshcheck.model.coverage import Coverage, Gap
from meshcheck.render.report_json import report_json
from tests.support.injectors import injector

Json = dict[str, Any]
FOLDER = Path(__file__).resolve().parents[2] / "manifests" / "scenarios"
NAMES = sorted(path.name for path in FOLDER.iterdir() if path.is_dir())
HEADINGS = frozenset((*(kind.heading for kind in kinds_for(CALL) if kind.heading), MESH_CONFIG))
NAMESPACED = {(kind.group, kind.kind): kind.namespaced for kind in kinds_for(CALL)}
SEQUENCES, STEPS = int(os.environ.get("MESHCHECK_SEQUENCES", "10")), 8
ASSERTIONS = """\
tests:
- {name: anybody, from: any, to: shop/*, expect: denied}
- {name: outside, from: external, to: shop/*, expect: denied}
- {name: read, from: shop/*, to: shop/cart, methods: [GET], expect: allowed}
"""


@cache
def _scenario(name: str) -> tuple[tuple[Json, ...], str]:
    text = (FOLDER / name / "manifests.yaml").read_text()
    documents = json.loads(json.dumps([d for d in yaml.safe_load_all(text) if isinstance(d, dict)]))  # as a server's: keys are texts
    return tuple(documents), (FOLDER / name / "question.txt").read_text()


class Cluster:
    """Objects by kind, namespace and name, as a watch has them: the same value as long as nothing in it changes."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.names = self.random.sample(NAMES, 3)
        self.pool = [d for name in self.names for d in _scenario(name)[0] if _group_and_kind(d) in NAMESPACED]
        self.pool.append(injector())
        self.items: dict[tuple[str, str, str, str], Json] = {}
        for document in (injector(), *_scenario(self.names[0])[0]):
            self.put(document)

    def put(self, document: Json) -> None:
        document = copy.deepcopy(document)
        group, kind = _group_and_kind(document)
        if (group, kind) not in NAMESPACED:
            return
        meta = document["metadata"]
        if NAMESPACED[group, kind]:
            meta.setdefault("namespace", "default")
        self.items[group, kind, meta.get("namespace", ""), meta["name"]] = document

    def change(self) -> None:
        """One object is new, gone, or another."""
        what = self.random.randrange(3)
        if what == 0 or not self.items:
            self.put(self.random.choice(self.pool))
        elif what == 1:
            del self.items[self.random.choice(sorted(self.items))]
        else:
            key = self.random.choice(sorted(self.items))
            changed = copy.deepcopy(self.items[key])
            for _ in range(self.random.randint(1, 2)):
                self._mutate(changed)
            if not any(problem.refused_by == "api-server" for problem in problems(changed)):
                self.items[key] = changed

    def _mutate(self, document: Json) -> None:
        """Take a part of an object away, or put in its place what another object has."""
        places = [(at, key) for at, key in _places(document) if key not in ("kind", "apiVersion", "name", "namespace", "metadata")]
        if not places:
            return
        at, key = self.random.choice(places)
        others = [a[k] for d in self.pool for a, k in _places(d) if k == key and type(a[k]) is type(at[key])]
        if isinstance(at, list) or not others or self.random.random() < 0.25:
            del at[key]
        else:
            at[key] = copy.deepcopy(self.random.choice(others))

    def seen(self, memory: Memory | None, gaps: tuple[Gap, ...]) -> Seen:
        reading = Reading()
        unknown = {gap.kind for gap in gaps}
        items = [item for key, item in sorted(self.items.items()) if key[1] not in unknown]
        reading.add_objects(items if memory is not None else copy.deepcopy(items))
        reading.coverage = Coverage(HEADINGS, gaps)
        world = build_world(reading, remembered=memory.decoded if memory else None)
        return Seen(world, reading, "a test", (), memory)


def _group_and_kind(document: Json) -> tuple[str, str]:
    return document["apiVersion"].rpartition("/")[0], document["kind"]


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield value, key
        yield from _places(inner)


def _checks(names: list[str], folder: Path) -> tuple[Check, ...]:
    (folder / "a.meshcheck.yaml").write_text(ASSERTIONS)
    asked = []
    for number, name in enumerate(names):
        question = trace_command._question(trace_command.parser().parse_args(shlex.split(_scenario(name)[1])))
        asked.append(Asked(f"{number} {name}", name, question, "allowed" if number % 2 else "denied"))
    return LintCheck("all"), QuestionCheck("calls", tuple(asked)), AssertionCheck("who", (str(folder / "a.meshcheck.yaml"),))


def _said(seen: Seen, checks: tuple[Check, ...]) -> Json:
    report = report_json(examine(seen, checks, TimeLimit(0)))
    return {check["name"]: {key: part for key, part in check.items() if key != "seconds"} for check in report["checks"]}


@pytest.mark.parametrize("seed", range(SEQUENCES))
def test_what_is_kept_is_what_would_be_found(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster, memory, gaps = Cluster(seed), Memory(), tuple[Gap, ...]()
    monkeypatch.chdir(FOLDER / cluster.names[0])
    checks = _checks(cluster.names, tmp_path)
    reused = 0
    for step in range(STEPS):
        if step and cluster.random.random() < 0.9:
            cluster.change()
        elif step:
            gaps = () if gaps else (Gap("AuthorizationPolicy", "AuthorizationPolicy", None, "could not be listed: forbidden"),)
        kept, whole = _said(cluster.seen(memory, gaps), checks), _said(cluster.seen(None, gaps), checks)
        for name in whole:
            assert kept[name] == whole[name], (step, name)
        reused += memory.reused
    assert reused > 0


def test_an_answer_that_nothing_touches_is_kept(tmp_path: Path) -> None:
    """A Service of another namespace leaves a question alone; one of its own does not."""
    cluster, memory = Cluster(0), Memory()
    checks: tuple[Check, ...] = (_checks(["method-not-allowed"], tmp_path)[1],)
    cluster.items = {}
    for document in _scenario("method-not-allowed")[0]:
        cluster.put(document)
    _said(cluster.seen(memory, ()), checks)
    assert (memory.reused, memory.computed) == (0, 1)
    for namespace, reused in (("elsewhere", 1), ("shop", 0)):
        cluster.put({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "new", "namespace": namespace}, "spec": {}})
        _said(cluster.seen(memory, ()), checks)
        assert memory.reused == reused, namespace
