"""What holds for every world and every call, whatever its policies say; asked through the batch, as users ask."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.differential import worlds as made
from tests.oracle.gen_sidecar import peer_authentication
from tests.support.batch import Key, Trace, ask

Json = dict[str, Any]

WORLDS = 60
DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
CALLERS = [("foo", "other"), ("bar", "svc")]


def dumped(docs: list[Json]) -> str:
    """Objects as a multi-document text."""
    return yaml.dump_all(docs, Dumper=DUMPER, sort_keys=False)


def worlds(first: int) -> Iterator[tuple[Json, list[Json], random.Random]]:
    """Random worlds without their manifests, their objects, and a source of chance for changing them."""
    for seed in range(first, first + WORLDS):
        line, _, _ = made.world(seed)
        rng = random.Random(-seed)
        docs = list(yaml.load_all(line["manifests"], Loader=LOADER))
        docs += [peer_authentication(rng, n) for n in range(rng.choice([0, 0, 1, 2]))]
        for question in line["questions"]:
            if rng.random() < 0.4:  # from a workload, through its own sidecar
                where, name = rng.choice(CALLERS)
                question["from"] = {"namespace": where, "workload": name}
                to = question["to"]
                scheme = question.pop("protocol", "http")
                question["to"] = {"url": f"{scheme}://{to['workload']}.{to['namespace']}:{to['port']}{question.pop('path', '')}"}
                for key in ("host", "sni", "source_ip"):
                    question.pop(key, None)
        yield line, docs, rng


def policy(rng: random.Random, action: str, where: str | None = None) -> Json:
    """Another AuthorizationPolicy."""
    new = made.policy(rng, 99, action)
    new["metadata"]["namespace"] = where or new["metadata"]["namespace"]
    return new


def outcome(trace: Trace) -> tuple[Any, ...]:
    """What a trace says, apart from places in the text."""
    decided = {k: v for k, v in (trace["decided_by"] or {}).items() if k != "place"}
    return trace["verdict"], trace["symptom"], trace["reached"], decided, trace["missing"]


def before_and_after(
    first: int, change: Callable[[list[Json], random.Random], list[Json] | None]
) -> Iterator[tuple[Json, Json, Trace, Trace]]:
    """Every call of the worlds before and after a change, with the world's line; a change may decline a world."""
    lines: list[Json] = []
    for line, docs, rng in worlds(first):
        changed = change(docs, rng)
        if changed is not None:
            lines += [
                {**line, "id": f"{line['id']} before", "manifests": dumped(docs)},
                {**line, "id": f"{line['id']} after", "manifests": dumped(changed)},
            ]
    traces = ask(lines)
    assert len(lines) > WORLDS / 2
    for old, new in zip(lines[::2], lines[1::2]):
        for question in old["questions"]:
            yield new, question, traces[old["id"], question["id"]], traces[new["id"], question["id"]]


def test_the_order_of_documents_does_not_matter() -> None:
    """The same objects in another order give the same answers."""
    wrong = []
    for line, question, old, new in before_and_after(50_000, lambda docs, rng: rng.sample(docs, len(docs))):
        if outcome(old) != outcome(new):
            wrong.append(f"{line['id']} {question['id']}: {outcome(old)}, in another order {outcome(new)}")
    assert not wrong, "\n".join(wrong[:5])


def test_another_deny_policy_lets_nothing_through() -> None:
    """A call that is denied stays denied when a DENY policy is added."""
    wrong, turned = [], 0
    for line, question, old, new in before_and_after(51_000, lambda docs, rng: [*docs, policy(rng, "DENY")]):
        turned += (old["verdict"], new["verdict"]) == ("allowed", "denied")
        if old["verdict"] == "denied" and new["verdict"] != "denied":
            wrong.append(f"{line['id']} {question['id']}: denied, and {new['verdict']} with one more DENY policy")
    assert turned
    assert not wrong, "\n".join(wrong[:5])


def test_another_rule_of_an_allow_policy_refuses_nothing() -> None:
    """A call that is allowed stays allowed when an ALLOW policy gets one more rule."""

    def one_more_rule(docs: list[Json], rng: random.Random) -> list[Json] | None:
        for n, document in enumerate(docs):
            spec = document.get("spec") or {}
            if document["kind"] == "AuthorizationPolicy" and spec.get("action", "ALLOW") == "ALLOW":
                more = policy(rng, "ALLOW")["spec"].get("rules") or [{}]
                return [*docs[:n], {**document, "spec": {**spec, "rules": [*(spec.get("rules") or []), *more]}}, *docs[n + 1 :]]
        return None

    wrong, turned = [], 0
    for line, question, old, new in before_and_after(52_000, one_more_rule):
        turned += (old["verdict"], new["verdict"]) == ("denied", "allowed")
        if old["verdict"] == "allowed" and new["verdict"] != "allowed":
            wrong.append(f"{line['id']} {question['id']}: allowed, and {new['verdict']} with one more rule to allow it")
    assert turned
    assert not wrong, "\n".join(wrong[:5])


def test_a_namespace_keeps_its_policies_to_itself() -> None:
    """Policies of namespace bar, which is not the root namespace, change nothing for workloads of foo."""

    def more_in_bar(docs: list[Json], rng: random.Random) -> list[Json]:
        tokens = {**made.request_authentication("bar"), "metadata": {"name": "more", "namespace": "bar"}}
        mtls = {**peer_authentication(rng, 98), "metadata": {"name": "more", "namespace": "bar"}}
        return [*docs, policy(rng, rng.choice(["ALLOW", "DENY"]), "bar"), tokens, mtls]

    wrong, turned = [], 0
    for line, question, old, new in before_and_after(53_000, more_in_bar):
        to_bar = question["to"].get("namespace") == "bar" or ".bar:" in question["to"].get("url", "")
        if to_bar:
            turned += outcome(old) != outcome(new)
        elif outcome(old) != outcome(new):
            wrong.append(f"{line['id']} {question['id']}: {outcome(old)}, with more in bar {outcome(new)}")
    assert turned
    assert not wrong, "\n".join(wrong[:5])


# ---- the reasons account for the verdict ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def explained(tmp_path_factory: pytest.TempPathFactory) -> dict[Key, Trace]:
    """Full answers about worlds that stand in files, one object a file; places then name the file of their object."""
    lines = []
    for line, docs, _ in worlds(54_000):
        folder = tmp_path_factory.mktemp(line["id"])
        paths = []
        for document in docs:
            path = folder / f"{file_of(document['kind'], document['metadata'].get('namespace'), document['metadata']['name'])}"
            path.write_text(f"# an object\n{dumped([document])}")
            paths.append(str(path))
        lines.append({**line, "manifests": paths})
    return ask(lines, brief=False)


def file_of(kind: str, namespace: str | None, name: str) -> str:
    """The name of an object's file."""
    return f"{kind}.{namespace or ''}.{name}.yaml"


def innermost(field: str, document: Json) -> str:
    """The last part of a field's path that the object has; what is absent is shown where it would stand."""
    value: Any = document
    found = ""
    for part in re.findall(r"[^.\[\]]+", field):
        items = dict(enumerate(value)) if isinstance(value, list) else value if isinstance(value, dict) else {}
        inside = {str(k): v for k, v in items.items()}  # ports are keys, too
        if part not in inside:
            break
        value, found = inside[part], part
    return found


def stations_of(trace: Trace) -> list[tuple[int, Json]]:
    """All stations of a call, each with the number of its hop."""
    return [(n, station) for n, hop in enumerate(trace["hops"], 1) for station in hop["stations"]]


def test_a_denied_call_ends_at_the_station_that_denied_it(explained: dict[Key, Trace]) -> None:
    """`decided_by` names the last station of the last hop, and no other station denied."""
    denied = {key: trace for key, trace in explained.items() if trace["verdict"] == "denied"}
    assert len(denied) > WORLDS
    for key, trace in denied.items():
        decided, stations = trace["decided_by"], stations_of(trace)
        assert decided, key
        hop, last = stations[-1]
        assert (hop, last["station"], last["verdict"]) == (decided["hop"], decided["station"], "denied"), key
        assert [s["verdict"] for _, s in stations].count("denied") == 1, key


def test_an_allowed_call_meets_no_station_that_denies(explained: dict[Key, Trace]) -> None:
    """All stations of an allowed call let it pass."""
    allowed = {key: trace for key, trace in explained.items() if trace["verdict"] == "allowed"}
    assert len(allowed) > WORLDS
    for key, trace in allowed.items():
        assert {s["verdict"] for _, s in stations_of(trace)} <= {"allowed", "not-applicable"}, key
        assert not trace["missing"], key


def test_an_unknown_answer_names_what_is_missing(explained: dict[Key, Trace]) -> None:
    """Only addresses are not said in these worlds, so only they can be missing."""
    unknown = {key: trace["missing"] for key, trace in explained.items() if trace["verdict"] == "unknown"}
    for key, missing in unknown.items():
        assert missing, key
        assert all("address" in fact["fact"] for fact in missing), (key, missing)


def test_reasons_hold_because_of_their_parts(explained: dict[Key, Trace]) -> None:
    """What holds has a part that holds, what does not has one that does not, and the outermost ones give the verdict."""

    def check(node: Json, key: Key) -> None:
        if parts := node.get("parts"):
            assert node["holds"] in [part["holds"] for part in parts], (key, node)
            for part in parts:
                check(part, key)

    seen = 0
    for key, trace in explained.items():
        for _, station in stations_of(trace):
            for node in station["reasons"]:
                check(node, key)
        decided = trace["decided_by"] or {}
        if decided.get("station") == "authorization" and trace["verdict"] == "denied":
            seen += 1
            outermost = [node["holds"] for node in stations_of(trace)[-1][1]["reasons"]]
            assert (True in outermost) == (decided["policy_id"] != "none"), (key, decided, outermost)
    assert seen > WORLDS


def test_places_point_into_the_text_of_their_object(explained: dict[Key, Trace]) -> None:
    """The place of what decided is in the file of its object, on the line where the field begins."""
    seen = 0
    for key, trace in explained.items():
        decided = trace["decided_by"] or {}
        if not (place := decided.get("place")):
            continue
        thing, path = decided["object"], Path(place["file"])
        assert path.name == file_of(thing["kind"], thing["namespace"], thing["name"]), (key, decided)
        line = path.read_text().splitlines()[place["line"] - 1]
        name = innermost(decided["field"], yaml.load(path.read_text(), Loader=LOADER))
        assert re.match(r"\s*- " if name.isdigit() else rf"[- ]*{re.escape(name)}:", line), (key, decided, line)
        seen += 1
    assert seen > WORLDS


def test_an_object_that_decides_has_a_place(explained: dict[Key, Trace]) -> None:
    """Whenever an object decides, its text is pointed at."""
    missing = {
        key: trace["decided_by"] for key, trace in explained.items() if (d := trace["decided_by"]) and d["object"] and not d["place"]
    }
    assert not missing
