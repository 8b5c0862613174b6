"""CORS: what the browser lacks in the answers, in the policy of the proxy that gives it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from meshcheck.explain.fixes.case import Candidate, Case, at, push, put, single
from meshcheck.model.json_patch import Step
from meshcheck.model.objects import Meta, Path
from meshcheck.semantics.browser import requests
from meshcheck.semantics.ingress.annotations import PREFIX


def candidates(case: Case) -> Iterator[Candidate]:
    """The origin, method and headers of the call in the CORS policy of whatever routes it."""
    seen: set[tuple[Any, Path]] = set()
    for hop in case.trace.hops:
        for station in hop.stations:
            for mention in (*station.policies, *((station.decider,) if station.decider else ())):
                key = (mention.meta.ref, mention.field[:3])
                raw = case.raw(mention.meta)
                if raw is None or key in seen:
                    continue
                seen.add(key)
                yield from _of(case, mention.meta, raw, mention.field)


def _of(case: Case, meta: Meta, raw: Mapping[str, Any], field: Path) -> Iterator[Candidate]:
    if meta.ref.kind == "VirtualService" and len(field) >= 3 and field[1] == "http":
        policy: Path = (*field[:3], "corsPolicy")
        yield from _candidate(case, meta, raw, policy, "corsPolicy", {"exact": case.question.origin})
    elif meta.ref.kind in ("HTTPRoute", "GRPCRoute") and len(field) >= 3:
        for number, item in enumerate(at(raw, (*field[:3], "filters")) or ()):
            if isinstance(item, dict) and item.get("type") == "CORS":
                yield from _candidate(case, meta, raw, (*field[:3], "filters", number, "cors"), "filter CORS", case.question.origin)
    elif meta.ref.kind == "Ingress":
        yield from _annotations(case, meta, raw)


def _candidate(case: Case, meta: Meta, raw: Mapping[str, Any], policy: Path, name: str, origin: Any) -> Iterator[Candidate]:
    question = case.question
    method, headers = requests.method_of(question), requests.unsafe_headers(question)
    if at(raw, policy) is None:
        new: dict[str, Any] = {"allowOrigins": [origin], "allowMethods": [method]}
        if headers:
            new["allowHeaders"] = list(headers)
        if requests.has_credentials(question):
            new["allowCredentials"] = True
        yield single(f"add a {name} for {question.origin} to {_where(meta, policy)}", meta, put(raw, policy, new))
        return
    steps: list[Step] = []
    words: list[str] = []
    origins = at(raw, (*policy, "allowOrigins")) or []
    if origin not in origins and question.origin not in origins and {"exact": question.origin} not in origins:
        steps.append(push(raw, (*policy, "allowOrigins"), origin))
        words.append(f"origin {question.origin}")
    lacking = _lacking(raw, policy, method, headers)
    every = ([*steps, *(step for step, _ in lacking)], [*words, *(text for _, text in lacking)])
    for some, said in ((steps, words), ([s for s, _ in lacking], [t for _, t in lacking]), every):
        if some:
            yield Candidate(f"add {' and '.join(said)} to {_where(meta, policy)}", ((meta, tuple(some)),))
    if requests.has_credentials(question) and at(raw, (*policy, "allowCredentials")) is not True:
        more = put(raw, (*policy, "allowCredentials"), True)
        yield single(f"allow credentials in {_where(meta, policy)}", meta, more, wide=1)
        if every[0]:
            both = (*every[0], more)
            yield Candidate(f"add {' and '.join(every[1])}, and allow credentials, in {_where(meta, policy)}", ((meta, both),), 1)


def _lacking(raw: Any, policy: Path, method: str, headers: Any) -> list[tuple[Step, str]]:
    out: list[tuple[Step, str]] = []
    if method not in (at(raw, (*policy, "allowMethods")) or ()):
        out.append((push(raw, (*policy, "allowMethods"), method), f"method {method}"))
    allowed = [str(name).lower() for name in at(raw, (*policy, "allowHeaders")) or ()]
    missing = [name for name in headers if name not in allowed]
    if missing and not allowed:
        out.append((put(raw, (*policy, "allowHeaders"), missing), f"headers {', '.join(missing)}"))
    else:
        out += [(push(raw, (*policy, "allowHeaders"), name), f"header {name}") for name in missing]
    return out


def _where(meta: Meta, policy: Path) -> str:
    from meshcheck.model.objects import dotted

    return f"{dotted(policy)} of {meta.ref}"


def _annotations(case: Case, meta: Meta, raw: Mapping[str, Any]) -> Iterator[Candidate]:
    """CORS of ingress-nginx."""
    question = case.question
    notes = meta.annotations
    steps: list[Step] = []
    words: list[str] = []

    def note(name: str, text: str, said: str) -> None:
        steps.append(put(raw, ("metadata", "annotations", PREFIX + name), text))
        words.append(said)

    if notes.get(PREFIX + "enable-cors") != "true":
        note("enable-cors", "true", "enable-cors")
    origins = notes.get(PREFIX + "cors-allow-origin")
    if origins is None:
        note("cors-allow-origin", question.origin or "", f"origin {question.origin}")
    elif question.origin not in [part.strip() for part in origins.split(",")]:
        note("cors-allow-origin", f"{origins}, {question.origin}", f"origin {question.origin}")
    method, methods = requests.method_of(question), notes.get(PREFIX + "cors-allow-methods")
    if methods is not None and method not in [part.strip() for part in methods.split(",")]:
        note("cors-allow-methods", f"{methods}, {method}", f"method {method}")
    headers = notes.get(PREFIX + "cors-allow-headers")
    missing = [n for n in requests.unsafe_headers(question) if n not in [p.strip().lower() for p in (headers or "").split(",")]]
    if missing and headers is not None:
        note("cors-allow-headers", ",".join([headers, *missing]), f"headers {', '.join(missing)}")
    if steps:
        _merge(steps)
        yield Candidate(f"add {' and '.join(words)} to the CORS annotations of {meta.ref}", ((meta, tuple(steps)),))


def _merge(steps: list[Step]) -> None:
    """Several annotations for an object that has none: the first step makes the mapping, the others go into it."""
    first = steps[0]
    if first["path"] == "/metadata/annotations":
        merged: dict[str, Any] = {}
        for step in steps:
            merged |= step["value"]
        steps[:] = [{**first, "value": merged}]
