"""Answers about the Kubernetes API as JSON (`meshcheck/can/v1`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from meshcheck.model.objects import Place, dotted
from meshcheck.model.rbac import ApiRequest
from meshcheck.render.can import VERDICTS, Answer, Locate, reason_words
from meshcheck.semantics.kubernetes_rbac.message import forbidden
from meshcheck.semantics.kubernetes_rbac.permissions import Decision

if TYPE_CHECKING:
    from meshcheck.semantics.kubernetes_rbac.near_misses import NearMiss
    from meshcheck.semantics.kubernetes_rbac.who_can import Allowed

SCHEMA = "meshcheck/can/v1"


def can_line(answer: Answer, locate: Locate) -> dict[str, Any]:
    """The answer to one question of a batch."""
    decision = answer.decision
    line: dict[str, Any] = {"allowed": decision.allowed, "decided_by": _decided_by(decision, locate), "reason": reason_words(answer)}
    if decision.allowed is False:
        line["message"] = forbidden(answer.request, decision.said)
    if decision.missing:
        line["missing"] = list(decision.missing)
    return line


def can_json(answer: Answer, locate: Locate) -> dict[str, Any]:
    """The whole answer."""
    return {
        "schema": SCHEMA,
        "request": _request_json(answer.request),
        "verdict": VERDICTS[answer.decision.allowed],
        **can_line(answer, locate),
        "dangling": [
            {
                "binding": grant.binding.meta.ref.as_json(),
                "role": {"kind": grant.binding.role_kind, "name": grant.binding.role_name},
                "place": _place(locate(grant.binding.meta.origin, ("roleRef",))),
            }
            for grant in answer.decision.dangling
        ],
        "near_misses": [_miss_json(miss, locate) for miss in answer.misses],
        "fixes": [
            {
                "description": fix.description,
                "objects": list(fix.objects),
                "patches": [{"object": ref.as_json(), "patch": list(patch)} for ref, patch in fix.patches],
                "verified": True,
                "also_opens": list(fix.also_opens),
            }
            for fix in answer.fixes
        ],
        "missing": list(answer.decision.missing),
        "notes": list(answer.notes),
    }


def who_json(request: ApiRequest, found: Sequence[Allowed], locate: Locate, notes: Sequence[str]) -> dict[str, Any]:
    """Everybody who may."""
    subjects = [
        {
            "kind": item.subject.kind,
            "name": item.subject.name,
            "namespace": item.subject.namespace or None,
            "binding": item.binding and item.binding.meta.ref.as_json(),
            "role": item.granted and item.granted.source.meta.ref.as_json(),
            "rule": item.granted and item.granted.number,
            "place": item.granted and _place(locate(item.granted.source.meta.origin, ("rules", item.granted.number))),
        }
        for item in found
    ]
    asked = {key: item for key, item in _request_json(request).items() if key not in ("user", "groups")}
    return {"schema": SCHEMA, "request": asked, "subjects": subjects, "notes": list(notes)}


def _request_json(request: ApiRequest) -> dict[str, Any]:
    who = {"user": request.user, "groups": list(request.groups), "verb": request.verb}
    if request.path is not None:
        return {**who, "path": request.path}
    return {**who, **{name: getattr(request, name) for name in ("group", "resource", "subresource", "name", "namespace")}}


def _decided_by(decision: Decision, locate: Locate) -> dict[str, Any] | None:
    grant, granted = decision.grant, decision.granted
    if grant is None or granted is None:
        return None
    binding, source = grant.binding, granted.source.meta
    namespace = binding.role_key[1]
    return {
        "binding": binding.meta.ref.as_json(),
        "role": {"apiVersion": source.ref.api_version, "kind": binding.role_kind, "namespace": namespace, "name": binding.role_name},
        "rule": decision.rule,
        "subject": {"kind": grant.subject.kind, "name": grant.subject.name, "namespace": grant.subject.namespace or None},
        "written_in": {"object": source.ref.as_json(), "field": dotted(("rules", granted.number))},
        "place": _place(locate(source.origin, ("rules", granted.number))),
        "built_in": binding.built_in,
    }


def _miss_json(miss: NearMiss, locate: Locate) -> dict[str, Any]:
    granted = miss.granted
    return {
        "binding": miss.binding and miss.binding.meta.ref.as_json(),
        "role": miss.role.meta.ref.as_json(),
        "rule": granted.number,
        "place": _place(locate(granted.source.meta.origin, ("rules", granted.number))),
        "failing": [
            {"field": fail.text, "path": dotted(fail.field), "wanted": list(fail.wanted), "actual": fail.actual} for fail in miss.failing
        ],
        "hints": list(miss.hints),
    }


def _place(place: Place | None) -> dict[str, Any] | None:
    return {"file": place.file, "line": place.line, "column": place.column} if place else None
