"""Which class of requests a concrete question falls into, judged from the facts alone: independent of the engine that made the classes."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from meshcheck.analyse.explore import Explored, Fact, Leaf, explore
from meshcheck.analyse.looks import Look
from meshcheck.analyse.spaces import Space
from meshcheck.cli.batch import read_world
from meshcheck.cli.questions import question_of
from meshcheck.cli.world import build_world
from meshcheck.model.question import Question
from meshcheck.model.record import replace
from meshcheck.model.trace import Trace
from meshcheck.semantics import languages as sets
from meshcheck.semantics.addresses import parse_address
from meshcheck.semantics.outbound.sending import authority_of
from meshcheck.semantics.request_path import BadPath, normalise, split_target
from meshcheck.semantics.tracing import target as targets
from meshcheck.semantics.tracing.trace import trace
from meshcheck.semantics.world import World

NOW = 1_700_000_000.0


class Placed(NamedTuple):
    """A question, what `trace` says to it, and the classes it falls into."""

    question: Question
    answer: Trace
    classes: tuple[Leaf[Trace], ...]
    explored: Explored[Trace]

    @property
    def exact(self) -> bool:
        """Whether the engine claims to know all about it."""
        return not self.explored.inexact and not any(one.inexact for one in self.classes)

    @property
    def fault(self) -> str | None:
        """What is wrong; None when the question is in exactly one class, whose verdict is that of `trace`."""
        if not self.exact:
            return None
        if len(self.classes) != 1:
            return f"{self.question}: in {len(self.classes)} classes"
        said, got = self.classes[0].answers[0], self.answer
        same = (said.verdict, said.symptom.kind, said.symptom.status) == (got.verdict, got.symptom.kind, got.symptom.status)
        return None if same else f"{self.question}: {got.verdict} {got.symptom}, its class says {said.verdict} {said.symptom}"


def placed(line: Mapping[str, Any]) -> Iterator[Placed]:
    """All questions of a world of a batch that are of the kind that classes are about: no browsers, no tokens that are refused."""
    world = build_world(read_world(dict(line)), closed=line.get("closed_world") is True, mesh_text=line.get("mesh_config") or None)
    for raw in line["questions"]:
        question = with_claims(question_of(raw))
        if question is None or question.origin is not None or not _is_path(world, question):
            continue
        answer = trace(world, question, explain=False, now=NOW)
        if not (answer.symptom.body or "").startswith("Jwt"):
            yield place(world, question, answer)


def place(world: World, question: Question, answer: Trace) -> Placed:
    """The classes of one question."""
    base = replace(question, method="GET", path="/", host=None, headers={}, claims=None)
    authority = authority_of(base, targets.view(world, base, question.caller.namespace)).lower()
    space = Space(base, authority, world.mesh.normalization, question.caller.external and not question.caller.ip)
    found = explore(space, (), [lambda asked: trace(world, asked, explain=False, now=NOW)], 3000)
    sent = replace(question, host=(question.host or authority).lower())
    fitting = tuple(leaf for leaf in found.leaves if all(_holds(look, sent, world, leaf.facts) == outcome for look, outcome in leaf.facts))
    return Placed(question, answer, fitting, found)


def with_claims(question: Question) -> Question | None:
    """The question with the claims of its bearer token in place of the token; None where its token is of another kind."""
    claims, headers = question.claims, {}
    if question.jwt or "eyJ" in question.path or "token=" in question.path:
        return None
    for name, lines in question.headers.items():
        found = [word for line in lines for word in line.split() if "eyJ" in word]
        if not found:
            if name == "authorization":
                return None
            headers[name] = lines
            continue
        parts = found[0].strip(",").rpartition("=")[2].split(".")
        try:
            claims = json.loads(base64.urlsafe_b64decode(parts[1] + "===")) if len(parts) == 3 else None
        except ValueError:
            return None
        if not isinstance(claims, dict) or claims.get("exp", NOW) < NOW or claims.get("nbf", 0) > NOW:
            return None
    return replace(question, headers=headers, claims=claims)


def _is_path(world: World, question: Question) -> bool:
    try:
        normalise(split_target(question.path)[0], world.mesh.normalization)
    except BadPath:
        return False
    return True


def _holds(look: Look, question: Question, world: World, facts: tuple[Fact, ...]) -> bool:
    kind, _, name = look.part.partition(":")
    entries = [item.strip() for line in question.headers.get("x-forwarded-for", ()) for item in line.split(",") if item.strip()]
    if look.patterns and look.patterns[0].kind == "entries":
        return len(entries) >= int(look.patterns[0].text)
    if look.block is not None:
        places = (int(k.patterns[0].text) for k, outcome in facts if outcome and k.patterns and k.patterns[0].kind == "entries")
        wanted = max(places, default=1)
        text = question.source_ip if kind == "source" else entries[-wanted] if len(entries) >= wanted else None
        address = parse_address(text) if text else None
        return address is not None and look.block[0] == address.bits and look.block[1] == address.number >> look.block[2]
    if kind == "token":
        return question.claims is not None
    value = _value(kind, name, question, world)
    return look.absent if value is None else sets.contains(look.language or sets.ALL, value)


def _value(kind: str, name: str, question: Question, world: World) -> str | None:
    path, query = split_target(question.path)
    if kind == "method":
        return question.method
    if kind == "path":
        return normalise(path, world.mesh.normalization)
    if kind == "authority":
        return question.host
    if kind == "header":
        return "\n".join(question.headers[name]) if name in question.headers else None
    if kind == "query":
        return dict(reversed(parse_qsl(query.removeprefix("?"), keep_blank_values=True))).get(name)
    found: Any = question.claims
    for key in name.split("/"):
        found = found.get(key) if isinstance(found, dict) else None
    if name in ("scope", "permission") and isinstance(found, str):
        found = found.split(" ")
    texts = [item for item in found if isinstance(item, str)] if isinstance(found, list) else []
    return "\n".join(texts) if texts else found if isinstance(found, str) else None
