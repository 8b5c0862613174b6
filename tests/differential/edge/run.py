"""One run of worlds against a controller: put the objects there, call, ask meshcheck, compare, report."""

# ruff: noqa: E501  tables
from __future__ import annotations

import argparse
import collections
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from tests.differential.edge.calls import Answer, Call, send
from tests.differential.edge.judge import differs
from tests.differential.edge.shop import ADDRESSES
from tests.support.batch import ask

Json = dict[str, Any]


class World(NamedTuple):
    """What the API server holds, the calls, and why the controller refuses the configuration as a whole (empty: it does not)."""

    objects: Sequence[Json]
    calls: Sequence[Call]
    via: Mapping[str, Any]
    refused: str = ""


class Report:
    """Figures and disagreements of a run."""

    def __init__(self) -> None:
        self.worlds = self.refused = self.asked = self.agreed = self.unknown = 0
        self.wrong: list[str] = []
        self.facts: collections.Counter[str] = collections.Counter()

    def compare(self, name: str, world: World, show: bool) -> None:
        """Call, ask and compare."""
        self.worlds += 1
        real = [Answer(0)] * len(world.calls)
        if world.refused:
            self.refused += 1
        else:
            with ThreadPoolExecutor(8) as pool:
                real = list(pool.map(send, world.calls))
        questions = [call.question(str(n), world.via) for n, call in enumerate(world.calls)]
        asked = {"id": name, "manifests": list(world.objects), "closed_world": True, "questions": questions}
        said, first = ask([asked]), True
        for n, call in enumerate(world.calls):
            trace, answer = said[name, str(n)], real[n]
            self.asked += 1
            if trace["verdict"] == "unknown":
                self.unknown += 1
                self.facts.update({_shape(m["fact"]) for m in trace["missing"]} or {"?"})
                continue
            if world.refused:
                wrong: str | None = f"{trace['verdict']}, but the controller refuses the configuration: {world.refused}"
            else:
                wrong = differs(trace, answer, ADDRESSES)
            if wrong is None:
                self.agreed += 1
                continue
            told = f"{call.method} {'https' if call.tls else 'http'}://{call.host}{call.path} from {call.source} {dict(call.headers)}"
            told += f" body {len(call.body)}" if call.body is not None else ""
            self.wrong.append(
                f"{name} {told}: real {answer}; meshcheck: {wrong}; {_why(ask([{**asked, 'questions': [questions[n]]}], brief=False)[name, str(n)])}"
            )
            if show:
                print(self.wrong[-1], flush=True)
                if first:
                    print(
                        json.dumps(
                            [name]
                            + [
                                _short(o)
                                for o in world.objects
                                if o["kind"] not in ("Secret", "Pod", "Service", "EndpointSlice", "Namespace")
                            ]
                        ),
                        flush=True,
                    )
            first = False

    def summary(self) -> Json:
        return {
            "worlds": self.worlds, "refused_as_a_whole": self.refused, "requests": self.asked, "agreed": self.agreed, "unknown": self.unknown,
            "wrong": len(self.wrong), "unknown_facts": dict(self.facts.most_common(25)), "examples": self.wrong[:12],
        }  # fmt: skip


def _shape(fact: str) -> str:
    return fact.partition(":")[0][:110]


def _why(trace: Json) -> str:
    reasons = [
        s.get("summary") or ""
        for hop in trace["hops"]
        for s in hop["stations"]
        if s["verdict"] == trace["verdict"] or s["verdict"] == "denied"
    ]
    return " | ".join(reason for reason in reasons[-2:] if reason)[:300]


def _short(item: Json) -> Json:
    meta = item["metadata"]
    return {"kind": item["kind"], "name": meta["name"], "created": meta.get("creationTimestamp"), **({"annotations": meta["annotations"]} if meta.get("annotations") else {}), **{k: v for k, v in item.items() if k in ("spec", "data")}}  # fmt: skip


def main(describe: str, module: str, rounds: Callable[[int, int, int], Any]) -> None:
    """The command line: `rounds(seed, worlds, calls)` yields (name, World)."""
    from tests.differential.edge import sandbox

    parser = argparse.ArgumentParser(description=describe, prog=f"python -m {module}")
    parser.add_argument("--worlds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=150, help="requests of each world")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print nothing but a summary")
    options = parser.parse_args()
    sandbox.enter(module, sys.argv[1:])
    started, report = time.monotonic(), Report()
    for name, world in rounds(options.seed, options.worlds, options.calls):
        report.compare(name, world, not options.json)
    summary = {**report.summary(), "seconds": round(time.monotonic() - started, 1)}
    print(json.dumps(summary, indent=None if options.json else 1))
    sys.exit(1 if report.wrong else 0)
