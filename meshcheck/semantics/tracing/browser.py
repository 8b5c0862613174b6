"""A call that a page makes in a browser: the preflight, the request, and the browser's checks of both answers."""

from __future__ import annotations

from collections.abc import Callable

from meshcheck.model.question import Question
from meshcheck.model.record import replace
from meshcheck.model.trace import ALLOWED, DENIED, UNKNOWN, Hop, Missing, Station, Symptom, Trace
from meshcheck.semantics.browser import checks, requests

Follow = Callable[[Question], Trace]
"""Traces a call that no browser makes."""


def trace_browser(question: Question, follow: Follow) -> Trace:
    """The call of a page with `question.origin`; calls to the page's own origin are not looked at by the browser."""
    origin = requests.page_origin(question)
    actual = requests.actual_of(question)
    if not requests.is_cross_origin(question):
        return _as_asked(follow(actual), question, ())
    url = requests.target_origin(question) + question.path
    preflight = requests.preflight_of(question)
    before: tuple[Hop, ...] = ()
    if preflight is not None:
        first = follow(preflight)
        before = _shown(first)
        stopped = _after_preflight(first, question, url, origin)
        if stopped is not None:
            return replace(stopped, hops=(*before, *stopped.hops))
    return _after_request(follow(actual), question, url, origin, before)


def _after_preflight(first: Trace, question: Question, url: str, origin: str) -> Trace | None:
    """How it ends with the preflight; None when the browser goes on with the request."""
    answered = first.symptom.status is not None and first.symptom.kind == "http"
    if first.verdict == UNKNOWN:
        return Trace(
            question, UNKNOWN, first.symptom, None, (), tuple(Missing(m.fact, "the preflight") for m in first.missing), first.notes
        )
    if first.verdict == ALLOWED and not answered:
        fact = f"what {_end(first)} answers to the preflight (OPTIONS, Origin: {origin}): no proxy on the way does"
        return Trace(question, UNKNOWN, first.symptom, None, (), (Missing(fact, "cors"),))
    if not answered:
        return _blocked(question, url, origin, "Response to preflight request doesn't pass access control check: "
                        "no answer came to the preflight.", first)  # fmt: skip
    headers = {**_added(first), **dict(first.symptom.headers or {})}
    method, names = requests.method_of(question), requests.unsafe_headers(question)
    problem = checks.preflight_problem(first.symptom.status, headers, origin, method, names, requests.has_credentials(question))
    return _blocked(question, url, origin, problem, first) if problem is not None else None


def _after_request(second: Trace, question: Question, url: str, origin: str, before: tuple[Hop, ...]) -> Trace:
    """The browser's check of the real answer."""
    whole = _as_asked(second, question, before)
    if second.verdict == UNKNOWN:
        return whole
    if second.verdict == DENIED and second.symptom.kind != "http":
        return whole
    own = second.symptom.status is not None and second.verdict == ALLOWED
    headers = {**_added(second), **(dict(second.symptom.headers or {}) if own else {})}
    problem = checks.origin_problem(headers, origin, requests.has_credentials(question))
    if problem is None:
        if own and (second.symptom.headers or {}).get("location"):
            words = f"the browser follows the redirect, and asks there as a page of {origin}, or of none (null) where that is a third one"
            return replace(whole, notes=(*whole.notes, words))
        if second.verdict == ALLOWED:
            return replace(
                whole, notes=(*whole.notes, f"the browser lets the page of {origin} see the answer: a proxy adds the CORS headers")
            )
        return replace(whole, notes=(*whole.notes, "the page can read this refusal: it carries CORS headers"))
    if second.verdict == DENIED or own or _has_cors(second):
        blocked = _blocked(question, url, origin, problem, second)
        return replace(blocked, hops=(*before, *second.hops, *(blocked.hops if second.verdict != DENIED else ())))
    fact = f"whether {_end(second)} answers with `Access-Control-Allow-Origin: {origin}`: no proxy on the way adds it"
    return replace(whole, verdict=UNKNOWN, reached=None, missing=(Missing(fact, "cors"),))


def _has_cors(trace: Trace) -> bool:
    """A proxy on the way has a CORS policy, and its headers are those that count."""
    return any(s.name == "cors" and s.symptom is not None and s.symptom.headers for hop in trace.hops for s in hop.stations)


def _blocked(question: Question, url: str, origin: str, problem: str, trace: Trace) -> Trace:
    symptom = Symptom("cors", trace.symptom.status if trace.symptom.kind == "http" else None, checks.console(url, origin, problem))
    found = trace.decided_at if trace.verdict == DENIED else None
    hops: tuple[Hop, ...] = ()
    if found is None:
        decider = next((s.decider for hop in trace.hops for s in reversed(hop.stations) if s.name == "cors" and s.decider), None)
        station = Station("cors", "browser", DENIED, problem, (decider,) if decider else (), symptom=symptom, decider=decider)
        hops = (Hop("browser", f"page of {origin}", (station,)),)
    return Trace(question, DENIED, symptom, None, hops, (), trace.notes)


def _added(trace: Trace) -> dict[str, str]:
    """CORS headers that proxies put on the answer, whoever gives it."""
    out: dict[str, str] = {}
    for hop in trace.hops:
        for station in hop.stations:
            if station.name == "cors" and station.symptom is not None:
                out.update(station.symptom.headers or {})
    return out


def _shown(trace: Trace) -> tuple[Hop, ...]:
    """The hops of a preflight: what answers it does not end the call."""
    return tuple(
        Hop(hop.source, hop.target, tuple(replace(s, answers=False) if s.answers else s for s in hop.stations), "preflight")
        for hop in trace.hops
    )


def _end(trace: Trace) -> str:
    return trace.hops[-1].target if trace.hops else "the workload"


def _as_asked(trace: Trace, question: Question, before: tuple[Hop, ...]) -> Trace:
    return replace(trace, question=question, hops=(*before, *trace.hops))
