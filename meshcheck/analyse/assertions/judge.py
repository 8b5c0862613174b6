"""Whether a statement about calls holds, over all requests of its shape."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from meshcheck.analyse.alike import Alike
from meshcheck.analyse.assertions.assertion import Assertion, Example, Judgement, Selector
from meshcheck.analyse.assertions.select import callers_of, comes_from_outside, ends_of, meant, service_ports, ways_from_outside
from meshcheck.analyse.between import requests_between
from meshcheck.analyse.classes import Classes, RequestClass
from meshcheck.analyse.ends import End, Party
from meshcheck.decode.urls import split_url
from meshcheck.errors import UsageError
from meshcheck.model.question import Caller, Question, Target
from meshcheck.model.record import NamedTuple, replace
from meshcheck.model.trace import ALLOWED, DENIED, UNKNOWN
from meshcheck.semantics.tracing import target as targets
from meshcheck.semantics.world import World

HOLDS, FAILS = "holds", "fails"
MOST_EXAMPLES = 5


class _Finding(NamedTuple):
    """One class of requests that breaks a statement, or that may."""

    breaks: bool
    example: Example
    why: str


def judge(world: World, assertion: Assertion, alike: Alike | None = None, now: float | None = None) -> Judgement:
    """Whether a statement holds. `alike` is for many statements about one World."""
    return _Judge(world, assertion, alike or Alike(world), now).run()


class _Judge:
    def __init__(self, world: World, assertion: Assertion, alike: Alike, now: float | None) -> None:
        self.world, self.assertion, self.alike, self.now = world, assertion, alike, now
        self.pairs = self.kinds = 0

    def run(self) -> Judgement:
        start = time.monotonic()
        parties = callers_of(self.world, self.assertion)
        outside = comes_from_outside(self.assertion)
        ends = self._ends()
        if not parties and not outside:
            return self._said(FAILS, self._nobody("callers", self.assertion.callers.include), [], start)
        if not ends and not meant(self.world, self.assertion):
            return self._said(FAILS, self._nobody("targets", self.assertion.targets.include), [], start)
        if not ends and not outside:
            return self._said(FAILS, self._no_port(), [], start)
        if outside and self.assertion.expect != DENIED and any(s.kind != "url" for s in self.assertion.targets.include):
            why = "calls from outside that shall be allowed are named by their URL, as in `to: https://shop.example.com/`"
            return self._said(FAILS, why, [], start)
        found = [*self._inside(parties, ends), *(self._outside(ends) if outside else ())]
        breaking = [one for one in found if one.breaks]
        if breaking:
            return self._said(FAILS, breaking[0].why, breaking, start)
        if found:
            return self._said(UNKNOWN, found[0].why, found, start)
        if self.kinds == 0:
            return self._said(FAILS, "there are no requests of that shape: nothing was looked at", [], start)
        return self._said(HOLDS, "", [], start)

    def _said(self, outcome: str, why: str, found: list[_Finding], start: float) -> Judgement:
        examples = tuple(one.example for one in found[:MOST_EXAMPLES])
        return Judgement(self.assertion, outcome, why, examples, self.pairs, self.kinds, time.monotonic() - start)

    def _nobody(self, side: str, selectors: Iterable[Selector]) -> str:
        words = ", ".join(f"`{s.words}`" for s in selectors)
        return f"no {side} in the input are meant by {words}: a statement about nobody proves nothing"

    def _no_port(self) -> str:
        words = ", ".join(f"`{s.words}`" for s in self.assertion.targets.include)
        ports = service_ports(self.world, self.assertion)
        has = f"the ports of their Services: {', '.join(map(str, ports))}" if ports else "no Service leads to them"
        return f"nothing can be called at {words}; {has}"

    def _ends(self) -> list[End]:
        urls = [_url_end(self.world, s) for s in self.assertion.targets.include if s.kind == "url"]
        return [*urls, *ends_of(self.world, self.assertion)]

    # ---- callers in the cluster ----

    def _inside(self, parties: list[Party], ends: list[End]) -> Iterator[_Finding]:
        for end in ends:
            question = Question(Caller(), end.target, end.protocol, headers={})
            for group in self.alike.groups(parties, end, question):
                others = [p for p in group if not _calls_itself(p, end)]
                if others:
                    self.pairs += len(others)
                    yield from self._judged(self._classes(others[0].caller, end), len(others))

    def _classes(self, caller: Caller, end: End) -> Classes:
        shape = replace(self.assertion.shape, protocol=end.protocol)
        if end.paths and not shape.paths:
            shape = replace(shape, paths=end.paths)
        return requests_between(self.world, caller, end.target, shape, now=self.now)

    def _judged(self, classes: Classes, alike: int) -> Iterator[_Finding]:
        self.kinds += len(classes.classes)
        for one in classes.classes:
            outcome = self._against(one)
            if outcome is not None:
                yield self._finding(one, outcome, alike)
        if classes.inexact and not classes.classes:
            raise UsageError(f"{self.assertion.name}: {classes.inexact[0]}")
        if classes.inexact:
            yield self._finding(classes.classes[0], False, alike, f"not all requests could be looked at: {classes.inexact[0]}")

    def _against(self, one: RequestClass) -> bool | None:
        """None: as expected; True: not; False: may not be."""
        wanted = self.assertion
        if one.verdict == UNKNOWN and wanted.expect != UNKNOWN:
            return False
        fits = one.verdict == wanted.expect
        if wanted.status is not None:
            fits = fits and one.symptom.status == wanted.status
        if wanted.by:
            fits = fits and one.policy is not None and _is_named(wanted.by, one)
        if not fits:
            return True
        return False if one.inexact else None

    def _finding(self, one: RequestClass, breaks: bool, alike: int, why: str = "") -> _Finding:
        if not why and not breaks:
            unknown = one.verdict == UNKNOWN and one.missing
            why = one.missing[0].fact if unknown else f"not decided over all requests: {', '.join(one.inexact)}"
        said = _said(one)
        return _Finding(breaks, Example(one.witness, one.description, alike, one.verdict, said), why or said)

    # ---- callers outside ----

    def _outside(self, ends: list[End]) -> Iterator[_Finding]:
        """Calls to the URLs that are named; to workloads by every way in."""
        caller = Caller(external=True)
        for end in ends[: sum(s.kind == "url" for s in self.assertion.targets.include)]:
            self.pairs += 1
            yield from self._judged(self._classes(caller, end), 1)
        wanted = meant(self.world, self.assertion)
        if not wanted:
            return
        names = {str(w) for w in self.world.workloads if id(w) in wanted}
        for way in ways_from_outside(self.world):
            self.pairs += 1
            classes = self._classes(caller, way)
            self.kinds += len(classes.classes)
            for one in classes.classes:
                gets_there = one.reached is not None and f"{one.reached.namespace}/{one.reached.workload}" in names
                if gets_there and one.verdict == ALLOWED:
                    yield self._finding(one, True, 1)
                elif (one.verdict == UNKNOWN and self._may_get_there(one, names)) or one.inexact:
                    yield self._finding(one, False, 1)
            if classes.inexact and classes.classes:
                yield self._finding(classes.classes[0], False, 1, f"not all requests could be looked at: {classes.inexact[0]}")

    @staticmethod
    def _may_get_there(one: RequestClass, names: set[str]) -> bool:
        """Whether a call of which not all is known may end at a workload that is meant: it does, or it is not known where it ends."""
        return one.ended in names or one.reached is None


def _calls_itself(party: Party, end: End) -> bool:
    return party.workload is not None and len(end.workloads) == 1 and end.workloads[0] is party.workload


def _is_named(wanted: str, one: RequestClass) -> bool:
    ref = one.policy
    if ref is None:
        return False
    kind, _, name = wanted.rpartition(" ")
    return name in (ref.name, f"{ref.namespace}/{ref.name}") and kind in ("", ref.kind)


def _said(one: RequestClass) -> str:
    """How the calls of a class fare, in a few words."""
    by = f" by {one.policy}" if one.policy is not None else ""
    if one.verdict == ALLOWED:
        reached = f", reaches {one.reached.namespace}/{one.reached.workload}:{one.reached.port}" if one.reached else ""
        return f"allowed{by}{reached}"
    if one.verdict == UNKNOWN:
        return f"unknown: {one.missing[0].fact}" if one.missing else "unknown"
    return f"denied ({one.symptom.status or one.symptom.kind}){by}"


def _url_end(world: World, selector: Selector) -> End:
    """A URL as a target. Raises UsageError."""
    protocol, host, port, path = split_url(selector.url)
    target = Target(host=host, port=port)
    what = targets.view(world, Question(Caller(), target, protocol, headers={}), None)
    workloads = tuple(b.workload for b in what.backends if b.workload is not None)
    return End(target, protocol, workloads, paths=(path,) if path != "/" else ())
