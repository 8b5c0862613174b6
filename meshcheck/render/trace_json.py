"""A trace as JSON, in the form of the contract (`meshcheck/trace/v1`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from meshcheck.model.objects import Meta, Origin, Path, Place, dotted
from meshcheck.model.question import Question
from meshcheck.model.reason import Reason
from meshcheck.model.trace import Cause, Fix, Mention, Station, Symptom, Trace

Locate = Callable[[Origin | None, Path], Place | None]
SCHEMA = "meshcheck/trace/v1"


def trace_json(
    trace: Trace, locate: Locate, causes: Sequence[Cause] = (), fixes: Sequence[Fix] = (), *, brief: bool = False
) -> dict[str, Any]:
    """The whole trace; `brief` leaves hops, causes and fixes out."""
    out: dict[str, Any] = {"schema": SCHEMA}
    if not brief:
        out["question"] = question_json(trace.question)
    out["verdict"] = trace.verdict
    out["symptom"] = symptom_json(trace.symptom)
    reached = trace.reached
    out["reached"] = reached and {
        "namespace": reached.namespace,
        "workload": reached.workload,
        "service": reached.service,
        "port": reached.port,
    }
    out["decided_by"] = _decided_by(trace, locate, brief)
    if not brief:
        out["hops"] = [
            {
                "from": hop.source,
                "to": hop.target,
                **({"phase": hop.phase} if hop.phase else {}),
                "stations": [_station(station, locate) for station in hop.stations],
            }
            for hop in trace.hops
        ]
        out["causes"] = [_cause(cause, locate) for cause in causes]
        out["fixes"] = [fix_json(fix) for fix in fixes]
        out["notes"] = list(trace.notes)
    out["missing"] = [{"fact": missing.fact, "needed_by": missing.needed_by} for missing in trace.missing]
    return out


def symptom_json(symptom: Symptom) -> dict[str, Any]:
    """What the caller sees."""
    out: dict[str, Any] = {"kind": symptom.kind, "status": symptom.status, "body": symptom.body}
    if symptom.headers:
        out["headers"] = dict(symptom.headers)
    return out


def place_json(place: Place | None) -> dict[str, Any] | None:
    """A place, or null."""
    return {"file": place.file, "line": place.line, "column": place.column} if place else None


def question_json(question: Question) -> dict[str, Any]:
    """The question as understood, with defaults filled in."""
    caller, target = question.caller, question.target
    names = ("namespace", "workload", "pod", "service_account", "ip", "node", "external", "plaintext", "mtls", "trust_domain")
    asked = {name: value for name in names if (value := getattr(caller, name))}
    called = {
        name: value for name in ("host", "namespace", "workload", "pod", "service", "ip", "port", "via") if (value := getattr(target, name))
    }
    out: dict[str, Any] = {"from": asked, "to": called, "protocol": question.protocol}
    if question.is_http:
        out |= {
            "method": question.method,
            "path": question.path,
            "headers": {name: list(lines) for name, lines in question.headers.items()},
        }
    for name in ("host", "claims", "source_ip", "origin", "sni"):
        if getattr(question, name) is not None:
            out[name] = getattr(question, name)
    if question.jwt:
        out["jwt"] = question.jwt.rpartition(".")[0] + ".…"  # never the signature: answers end up in tickets
    if question.network_policy_only:
        out["layer"] = "network-policy"
    return out


def _decided_by(trace: Trace, locate: Locate, brief: bool) -> dict[str, Any] | None:
    found = trace.decided_at
    if found is None:
        return None
    hop, station = found
    decider = station.decider
    out: dict[str, Any] = {
        "hop": hop,
        "station": station.name,
        "enforcer": station.enforcer,
        "workload": station.workload,
        "object": decider.meta.ref.as_json() if decider else None,
        "rule": decider.rule if decider else None,
        "policy_id": station.policy_id,
        "field": dotted(decider.field) if decider and decider.field else None,
    }
    if not brief:
        out["place"] = place_json(_place(decider.meta, decider.field, locate)) if decider else None
    return out


def _place(meta: Meta, field: Path, locate: Locate) -> Place | None:
    return locate(meta.origin, field)


def _mention(mention: Mention, locate: Locate) -> dict[str, Any]:
    out: dict[str, Any] = {"object": mention.meta.ref.as_json()}
    if mention.direction:
        out["direction"] = mention.direction
    if mention.effect:
        out["effect"] = mention.effect
    if mention.rule is not None:
        out["rule"] = mention.rule
    if mention.field:
        out["field"] = dotted(mention.field)
    return out


def _station(station: Station, locate: Locate) -> dict[str, Any]:
    return {
        "station": station.name,
        "enforcer": station.enforcer,
        "verdict": station.verdict,
        "summary": station.summary,
        "policies": [_mention(mention, locate) for mention in station.policies],
        "reasons": [reason_json(reason) for reason in station.reasons],
    }


def reason_json(reason: Reason) -> dict[str, Any]:
    """A reason and those it rests on."""
    out: dict[str, Any] = {"text": reason.text, "holds": reason.holds}
    if reason.field:
        out["field"] = dotted(reason.field)
    if reason.wanted:
        out["wanted"] = list(reason.wanted)
    if reason.actual is not None:
        out["actual"] = reason.actual
    if reason.parts:
        out["parts"] = [reason_json(part) for part in reason.parts]
    return out


def _cause(cause: Cause, locate: Locate) -> dict[str, Any]:
    return {
        "object": cause.object.as_json() if cause.object else None,
        "field": dotted(cause.field) if cause.field else None,
        "message": cause.message,
        "place": place_json(_place(cause.meta, cause.field, locate)) if cause.meta else None,
    }


def fix_json(fix: Fix) -> dict[str, Any]:
    """A fix with its patches."""
    return {
        "description": fix.description,
        "safe": fix.safe,
        "patches": [{"object": ref.as_json(), "patch": [dict(step) for step in patch]} for ref, patch in fix.patches],
        "verified": fix.verified,
        "also_opens": None if fix.also_opens is None else [more.words for more in fix.also_opens],
        "examples": [question_json(more.example) for more in fix.also_opens or () if more.example is not None],
    }
