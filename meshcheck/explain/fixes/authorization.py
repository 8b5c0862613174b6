"""Rules of AuthorizationPolicies: near misses, new rules, exceptions from DENY rules, external authorizers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from meshcheck.explain.causes import failing
from meshcheck.explain.fixes.case import Candidate, Case, at, change, created, drop, free_name, push, put, single, telling_labels
from meshcheck.model.json_patch import Step
from meshcheck.model.objects import Meta, ObjectRef, Path, dotted
from meshcheck.model.reason import Reason
from meshcheck.semantics.ambient.waypoints import detour_of
from meshcheck.semantics.authorization.explanation import failures
from meshcheck.semantics.world import names
from meshcheck.semantics.world.hosts import look_up

_ADDABLE = frozenset(
    ["methods", "paths", "hosts", "ports", "principals", "namespaces", "serviceAccounts", "requestPrincipals", "values", "ipBlocks",
     "remoteIpBlocks"]
)  # fmt: skip
_NOT_THERE = ("none", "absent", "no verified token", "None", "")


def candidates(case: Case) -> Iterator[Candidate]:
    """Ways past an authorization station."""
    if case.station.name == "custom":
        yield from _authorizers(case)
    elif case.station.policy_id == "none":
        yield from _near_misses(case)
        yield from _moved_to_waypoint(case)
        yield from _new_rules(case)
    else:
        yield from _exceptions(case)


# ---- no ALLOW rule matches ----


def _near_misses(case: Case) -> Iterator[Candidate]:
    """For the rules that nearly match: what the call has in each list that lacks it, in place of a value that can match nothing."""
    metas = {m.meta.ref: m.meta for m in case.station.policies}
    for rule in sorted(case.station.reasons, key=failures):
        meta = metas.get(rule.object) if rule.object else None
        raw = case.raw(meta)
        missed = list(failing(rule))
        if meta is None or raw is None or not missed:
            continue
        parts = [_corrected(case, raw, leaf) or _added(raw, leaf) for leaf in missed]
        if all(parts):
            yield _in(meta, [part for part in parts if part])
        added = [_added(raw, leaf) for leaf in missed]
        if all(added) and added != parts:
            yield _in(meta, [part for part in added if part])


def _moved_to_waypoint(case: Case) -> Iterator[Candidate]:
    """Where ztunnel cannot read what a policy asks for: the policy is bound to the Service, so that its waypoint applies it."""
    server = case.server
    if case.station.enforcer != "ztunnel" or server is None:
        return
    for service in case.world.services_of(server):
        if detour_of(case.world, service, service.ports[0].number if service.ports else 0) is None:
            continue
        for mention in case.station.policies:
            meta = mention.meta
            raw = case.raw(meta)
            if raw is None or meta.namespace != service.namespace or at(raw, ("spec", "selector")) is None:
                continue
            steps = (drop(("spec", "selector")), put(raw, ("spec", "targetRefs"), [_reference(service.meta.ref)]))
            words = (
                f"bind {meta.ref} to {service.meta.ref} (targetRefs) instead of its pods, so that the waypoint applies it to the callers"
            )
            yield Candidate(words, ((meta, steps),), 1)


def _in(meta: Meta, parts: list[tuple[str, Step]]) -> Candidate:
    words = " and ".join(words for words, _ in parts)
    return Candidate(f"{words} of {meta.ref}", ((meta, tuple(step for _, step in parts)),))


def _added(raw: Any, leaf: Reason) -> tuple[str, Step] | None:
    value = _value(leaf)
    if value is None:
        return None
    return f"add `{value}` to {dotted(leaf.field)}", push(raw, leaf.field, value)


def _corrected(case: Case, raw: Any, leaf: Reason) -> tuple[str, Step] | None:
    """A value that can match nothing gives way to the one that was meant."""
    value, written = _value(leaf), at(raw, leaf.field)
    if value is None or not isinstance(written, list):
        return None
    for number, wrong in enumerate(written):
        if isinstance(wrong, str) and _is_a_slip(case, leaf, wrong, value):
            return f"write `{value}` instead of `{wrong}` in {dotted(leaf.field)}", change((*leaf.field, number), value)
    return None


def _is_a_slip(case: Case, leaf: Reason, wrong: str, right: str) -> bool:
    field = leaf.field[-1]
    if field == "principals":
        if wrong.removeprefix("spiffe://") == right and wrong != right:
            return True
        hint = names.hint_for_principal(case.world, wrong)
        return hint is not None and f"`{right.rpartition('/')[2]}`" in hint and wrong.rpartition("/")[0] == right.rpartition("/")[0]
    if field == "serviceAccounts":
        return wrong == right.rpartition("/")[2]
    if field == "ports":
        server = case.server
        return server is not None and any(
            str(port.number) == wrong and str(port.target) == right for service in case.world.services_of(server) for port in service.ports
        )
    if field == "methods":
        return wrong != right and wrong.upper() == right.upper()
    return False


def _value(leaf: Reason) -> str | None:
    """What has to stand in a list so that the call matches it; None where no value would do."""
    actual = leaf.actual or ""
    if leaf.holds is not False or not leaf.field or leaf.field[-1] not in _ADDABLE or actual in _NOT_THERE or "no identity" in actual:
        return None
    if leaf.text.startswith("not") or leaf.text.endswith("notValues"):
        return None
    parts = actual.split("/")
    if len(parts) == 5 and leaf.field[-1] == "namespaces":
        return parts[2]
    if len(parts) == 5 and leaf.field[-1] == "serviceAccounts":
        return f"{parts[2]}/{parts[4]}"
    if actual.startswith("[") and leaf.field[-1] == "values":
        return _first_text(actual)
    return actual if " " not in actual else None


def _first_text(written: str) -> str | None:
    from ast import literal_eval

    try:
        items = literal_eval(written)
    except (ValueError, SyntaxError):
        return None
    return next((item for item in items if isinstance(item, str)), None) if isinstance(items, list) else None


def _new_rules(case: Case) -> Iterator[Candidate]:
    """One more rule that admits this call and nothing else, in the policy that applies most closely, or in a policy of its own."""
    rule, server = _rule_for(case), case.server
    target = _target(case)
    if (server is None and target is None) or _only_a_token_lacks(case):
        return
    account = case.identity.rpartition("/ns/")[2].replace("/sa/", "/") if case.identity else None
    words = f"a rule for {account or 'any caller'}: {_call_words(case)}"
    wide = 0 if _preflight(case) else 2 if account is None else int(not _is_http(case) or _drops_conditions(case))
    for mention in case.station.policies:
        meta = mention.meta
        raw = case.raw(meta)
        bound = at(raw, ("spec", "selector", "matchLabels")) if target is None else at(raw, ("spec", "targetRefs"))
        if raw is not None and bound and at(raw, ("spec", "rules")):
            yield single(f"add {words} to {meta.ref}", meta, push(raw, ("spec", "rules"), rule), wide=wide)
    if target is not None:
        owner, chosen = target, dict[str, Any](targetRefs=[_reference(target.ref)])
    else:
        assert server is not None
        owner, chosen = server.meta, dict[str, Any](selector={"matchLabels": telling_labels(case.world, server)})
    namespace = owner.namespace or "default"
    beside = next((m.meta for m in case.station.policies if m.meta.namespace == namespace), owner)
    name = free_name(case.world, "AuthorizationPolicy", namespace, f"{owner.name}-allow-{(account or '/all').rpartition('/')[2]}")
    new = created("AuthorizationPolicy", "security.istio.io/v1", namespace, name, spec={**chosen, "action": "ALLOW", "rules": [rule]})
    yield Candidate(f"add {new[0].ref} with {words}", (new,), wide, beside)


def _target(case: Case) -> Meta | None:
    """What a waypoint's policy is about: the Service or ServiceEntry that is called; the Gateway where a pod's address is."""
    if case.station.enforcer != "waypoint":
        return None
    namespace = (case.station.workload or "").partition("/")[0]
    named = look_up(case.world, case.question.target.host or "", namespace) if case.question.target.host else None
    if named is not None and (named.service is not None or named.entry is not None):
        return named.service.meta if named.service is not None else named.entry.meta
    name = (case.station.workload or "").partition("/")[2]
    return next((g.meta for g in case.world.inventory.of("Gateway") if (g.meta.namespace, g.meta.name) == (namespace, name)), None)


def _reference(ref: ObjectRef) -> dict[str, str]:
    return {"group": ref.api_version.rpartition("/")[0], "kind": ref.kind, "name": ref.name}


def _only_a_token_lacks(case: Case) -> bool:
    """Whether the nearest rule asks for a token and for nothing else that the call lacks: a rule without it would be a way around."""
    nearest = min(case.station.reasons, key=failures, default=None)
    missed = list(failing(nearest)) if nearest is not None else []
    return bool(missed) and not _preflight(case) and all(_is_about_tokens(leaf) for leaf in missed)


def _is_about_tokens(leaf: Reason) -> bool:
    return leaf.field[-1:] in (("requestPrincipals",), ("notRequestPrincipals",)) or leaf.text.startswith("request.auth")


def _drops_conditions(case: Case) -> bool:
    """Whether rules that nearly match ask for more than caller, method and path."""
    return any("when" in leaf.field or _is_about_tokens(leaf) for rule in case.station.reasons for leaf in failing(rule))


def _call_words(case: Case) -> str:
    if not _is_http(case):
        return f"port {case.station.wire[1]}" if case.station.wire else "every call"
    method, path = _seen(case)
    return method if _preflight(case) else f"{method} {path}"


def _rule_for(case: Case) -> dict[str, Any]:
    rule: dict[str, Any] = {}
    if case.identity and not _preflight(case):
        rule["from"] = [{"source": {"principals": [case.identity]}}]
    if _is_http(case):
        method, path = _seen(case)
        rule["to"] = [{"operation": {"methods": [method], "paths": [path]} if not _preflight(case) else {"methods": [method]}}]
    return rule


def _preflight(case: Case) -> bool:
    return case.hop.phase == "preflight" or (case.question.method == "OPTIONS" and "access-control-request-method" in case.question.headers)


def _is_http(case: Case) -> bool:
    station = case.station
    return station.symptom is not None and station.symptom.kind == "http"


def _seen(case: Case) -> tuple[str, str]:
    """Method and path as the proxy sees them: those of the reasons where they say so, else those of the question."""
    found = {str(leaf.field[-1]): leaf.actual for reason in case.station.reasons for leaf in _leaves(reason) if leaf.field and leaf.actual}
    method = "OPTIONS" if case.hop.phase == "preflight" else case.question.method
    return found.get("methods") or found.get("notMethods") or method, found.get("paths") or found.get("notPaths") or case.path


def _leaves(reason: Reason) -> Iterator[Reason]:
    if not reason.parts:
        yield reason
    for part in reason.parts:
        yield from _leaves(part)


# ---- a DENY rule matches ----


def _exceptions(case: Case) -> Iterator[Candidate]:
    """An exception in the rule that denies; taking a value away only where nothing else does."""
    meta = case.decider
    raw = case.raw(meta)
    if meta is None or raw is None or not case.station.reasons:
        return
    rule = case.station.reasons[0]
    method, path = _seen(case)
    yield from _without_value(meta, raw, rule, (("methods", method), ("paths", path)))
    if case.identity and not _preflight(case):
        steps = _excepted(raw, rule.field, "from", "source", "notPrincipals", case.identity)
        yield Candidate(f"except `{case.identity}` (notPrincipals) from rule {rule.field[-1]} of {meta.ref}", ((meta, steps),), 1)
    if _is_http(case) and _preflight(case):
        steps = _excepted(raw, rule.field, "to", "operation", "notMethods", "OPTIONS")
        yield Candidate(f"except OPTIONS (notMethods) from rule {rule.field[-1]} of {meta.ref}", ((meta, steps),))
    elif _is_http(case):
        steps = _excepted(raw, rule.field, "to", "operation", "notPaths", path)
        yield Candidate(f"except `{path}` (notPaths) from rule {rule.field[-1]} of {meta.ref}", ((meta, steps),), 1)
        steps = _excepted(raw, rule.field, "to", "operation", "notMethods", method)
        yield Candidate(f"except {method} (notMethods) from rule {rule.field[-1]} of {meta.ref}", ((meta, steps),), 2)


def _excepted(raw: Any, rule: Path, side: str, inner: str, field: str, value: str) -> tuple[Step, ...]:
    """The steps that put a value into a not-list of each alternative; a rule without alternatives gets one."""
    alternatives = at(raw, (*rule, side))
    if not alternatives:
        return (put(raw, (*rule, side), [{inner: {field: [value]}}]),)
    return tuple(push(raw, (*rule, side, number, inner, field), value) for number in range(len(alternatives)))


def _without_value(meta: Meta, raw: Any, rule: Reason, wanted: tuple[tuple[str, str], ...]) -> Iterator[Candidate]:
    """A value that stands there as such, beside others, is taken out of its list."""
    for leaf in _leaves(rule):
        listed = at(raw, leaf.field)
        for field, value in wanted:
            if leaf.field and leaf.field[-1] == field and isinstance(listed, list) and len(listed) > 1 and value in listed:
                step: Step = {"op": "remove", "path": _pointer((*leaf.field, listed.index(value)))}
                yield single(f"take `{value}` out of {dotted(leaf.field)} of {meta.ref}", meta, step, wide=1)


def _pointer(path: Path) -> str:
    from meshcheck.model.json_patch import pointer

    return pointer(path)


# ---- external authorizers ----


def _authorizers(case: Case) -> Iterator[Candidate]:
    """A provider that mesh config has, in place of one that it has not."""
    meta = case.decider
    raw = case.raw(meta)
    if meta is None or raw is None:
        return
    name = at(raw, ("spec", "provider", "name"))
    usable = [p.name for p in case.world.mesh.providers if p.kind.startswith("envoyExtAuthz")]
    near = names.nearest(str(name), usable)
    for provider in dict.fromkeys([*([near] if near else []), *usable]):
        if provider != name:
            words = f"write `{provider}`, which mesh config has, instead of `{name}` in spec.provider.name of {meta.ref}"
            yield single(words, meta, change(("spec", "provider", "name"), provider), wide=1)
