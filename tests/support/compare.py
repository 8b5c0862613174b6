"""Does a trace say what a real program said?"""

from __future__ import annotations

from typing import Any


def difference(trace: dict[str, Any] | None, want: dict[str, Any]) -> str:
    """What differs between an answer of meshcheck and the expected one; empty when they agree.

    Compared are the verdict, what the caller sees (kind and status), the policy that Envoy's log names, the workload
    or service reached, the waypoint on the way (where hops are shown) and a redirect's target, each where the expectation
    speaks of it. `unknown` never agrees.
    """
    if trace is None:
        return "no answer"
    verdict, symptom = trace.get("verdict"), trace.get("symptom") or {}
    if verdict != want["verdict"]:
        missing = f", missing {[m.get('fact') for m in trace.get('missing', [])]}" if verdict == "unknown" else ""
        said = (want.get("symptom") or {}).get("status") or (want.get("symptom") or {}).get("kind") or ""
        why = want.get("details") or want.get("policy_id") or ""
        return f"got {verdict} {_shown(symptom)}{missing}, want {want['verdict']} {said} {why}".rstrip()
    wanted = want.get("symptom") or {}
    if wanted.get("kind") and (verdict != "allowed" or wanted.get("status")):
        if symptom.get("kind") != wanted["kind"]:
            return f"got symptom {symptom.get('kind')}, want {wanted['kind']}"
        if wanted.get("status") is not None and symptom.get("status") != wanted["status"]:
            return f"got status {symptom.get('status')}, want {wanted['status']}"
    decided = trace.get("decided_by") or {}
    if want.get("policy_id") and decided.get("policy_id") != want["policy_id"]:
        return f"got policy {decided.get('policy_id')}, want {want['policy_id']}"
    if want.get("reached") and verdict == "allowed":
        reached = trace.get("reached") or {}
        if any(reached.get(k) != want["reached"][k] for k in ("namespace", "service")):
            return f"got {reached}, want {want['reached']}"
    if "hops" in trace and want.get("via"):
        waypoints = [hop["to"].removeprefix("waypoint ") for hop in trace["hops"] if hop["to"].startswith("waypoint ")]
        if want["via"] not in waypoints:
            return f"got waypoints {waypoints}, want {want['via']}"
    location = (symptom.get("headers") or {}).get("location")
    if want.get("location") and location != want["location"]:
        return f"got location {location}, want {want['location']}"
    return ""


def _shown(symptom: dict[str, Any]) -> str:
    return str(symptom.get("status") or symptom.get("kind") or "")
