"""A trace as text: the answer first, then the call station by station, then why, then the way out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from meshcheck.model.objects import Place
from meshcheck.model.question import Question
from meshcheck.model.reason import Reason
from meshcheck.model.trace import ALLOWED, DENIED, NOT_APPLICABLE, Cause, Fix, Mention, Station, Symptom, Trace
from meshcheck.render.style import Style
from meshcheck.render.trace_json import Locate

TITLES = {
    "dns": "DNS",
    "network-policy": "NetworkPolicy",
    "service": "Service",
    "client-sidecar": "Client sidecar",
    "client-tls": "Client TLS",
    "mtls": "mTLS",
    "http": "HTTP",
    "custom": "CUSTOM",
    "request-authentication": "JWT",
    "audit": "Audit, dry-run",
    "authorization": "Authorization",
    "extensions": "Extensions",
    "load-balancer": "Load balancer",
    "listener": "Listener",
    "tls": "TLS",
    "route": "Route",
    "fault": "Fault",
    "cors": "CORS",
    "access": "Access",
    "oidc": "OIDC",
    "csrf": "CSRF",
    "application": "Application",
    "waypoint": "Waypoint",
    "revision": "Revision",
}
_KINDS = {
    "reset": "connection reset",
    "timeout": "timeout",
    "refused": "connection refused",
    "tls": "TLS failure",
    "dns": "name resolution fails",
    "cors": "refused by the browser (CORS)",
}


def symptom_words(symptom: Symptom) -> str:
    """`403 RBAC: access denied`, `connection reset`."""
    if symptom.kind != "http":
        return _KINDS[symptom.kind]
    if symptom.headers and "grpc-status" in symptom.headers:
        return f"gRPC status {symptom.headers['grpc-status']} {symptom.headers['grpc-message']}".strip()
    return f"{symptom.status} {symptom.body}".strip() if symptom.status else "reaches the workload"


def trace_text(
    trace: Trace,
    locate: Locate,
    causes: Sequence[Cause],
    fixes: Sequence[Fix],
    style: Style,
    patch_of: Callable[[Fix], Sequence[str]] = lambda _: (),
) -> str:
    """The whole answer, ending in a newline. `patch_of` gives the lines that stand under the first fix."""
    lines = [headline(trace, style), "", f"  {_call(trace)}", ""]
    number = 0
    width = max((len(TITLES.get(s.name, s.name)) for hop in trace.hops for s in hop.stations), default=0)
    for position, hop in enumerate(trace.hops):
        if hop.stations and (position or hop.phase):
            lines.append(style.dim(f"    {hop.phase + ': ' if hop.phase else ''}{hop.source} → {hop.target}"))
        for station in hop.stations:
            number += 1
            lines += _station(number, station, locate, style, width)
    if not any(hop.stations for hop in trace.hops):
        lines.append("  no station looks at this call")
    lines.append("")
    if trace.symptom.kind == "cors" and trace.symptom.body:
        lines.append(f"  {style.bold('Console')} {trace.symptom.body}")
    for n, cause in enumerate(causes):
        label = "Cause" if n == 0 else "or   "
        first, *more = cause.message.split("; spec.")
        lines.append(f"  {style.bold(label)}   {first}{_at(_cause_place(cause, locate), style)}")
        lines += [f"          spec.{part}" for part in more]
    for n, fix in enumerate(fixes):
        first, *more = fix.description.split("; and ")
        said = [f"  {style.bold('Fix  ' if n == 0 else 'or   ')}   {first}", *(f"          and {part}" for part in more)]
        lines += [*said[:-1], said[-1] + _checked(fix)]
        lines += [f"          {style.yellow('opens more:')} {more}" for more in _opens(fix)]
        lines += [f"          {line}".rstrip() for line in (patch_of(fix) if n == 0 else ())]
    for fact in dict.fromkeys(missing.fact for missing in trace.missing):
        lines.append(f"  {style.yellow('Missing')} {fact}")
    for note in trace.notes:
        lines.append(f"  {style.dim('Note')}    {note}")
    return "\n".join(lines).rstrip() + "\n"


def _opens(fix: Fix) -> list[str]:
    """What else a fix opens, with an example where the words do not show one."""
    out = []
    for more in (fix.also_opens or ())[:_MOST_OPENED]:
        example = more.example
        shown = f", such as {example.method} {example.path}" if example is not None and example.is_http else ""
        out.append(more.words + (shown if shown not in more.words else ""))
    left = len(fix.also_opens or ()) - _MOST_OPENED
    return [*out, f"… and {left} more"] if left > 0 else out


_MOST_OPENED = 4


def _checked(fix: Fix) -> str:
    return " (checked: the call then gets through)" if fix.verified else ""


def headline(trace: Trace, style: Style = Style(False)) -> str:  # noqa: B008 it has no state
    """The answer in one line."""
    if trace.verdict == ALLOWED:
        found = trace.decided_at
        words = f"allowed — answered with {symptom_words(trace.symptom)} by the {found[1].enforcer}" if found else "allowed"
        return style.green(f"✓ {words}")
    if trace.verdict == DENIED:
        found = trace.decided_at
        where = f" — {_where(found[1])}" if found else ""
        return style.red(f"✗ {symptom_words(trace.symptom)}") + where
    return style.yellow("? unknown") + (f" — {trace.missing[0].fact}" if trace.missing else "")


def _where(station: Station) -> str:
    enforcers = {
        "sidecar": "sidecar of ",
        "ztunnel": "ztunnel of ",
        "server": "",
        "cni": "",
        "client-sidecar": "caller's sidecar",
        "browser": "the browser",
    }
    place = enforcers.get(station.enforcer, station.enforcer + " ")
    name = station.workload or "" if station.enforcer not in ("client-sidecar",) else ""
    told = f"{place}{name}".strip()
    if station.policy_id == "none":
        return f"{told}: no ALLOW policy matches"
    return f"{told}: {station.summary}" if told else station.summary


def _call(trace: Trace) -> str:
    question = trace.question
    hops = [hop for hop in trace.hops if hop.phase == trace.hops[-1].phase and hop.source != "browser"] or list(trace.hops[:-1])
    target = hops[-1].target
    port = trace.reached.port if trace.reached else question.target.port if len(hops) == 1 else None
    where = f"{target}:{port}" if port and not target.endswith(f":{port}") else target
    way = " → ".join([*(hop.source for hop in hops), where])
    entered = len(hops) > 1 or question.target.via is not None or question.caller.external
    host = (question.host or question.target.host or "") if entered else ""
    words = f"{question.method} {host}{question.path}" if question.is_http else question.protocol
    return f"{way}   {words}{_headers(question)}"


def _headers(question: Question) -> str:
    shown = [f"{name}: {', '.join(lines)}" for name, lines in question.headers.items() if name != "authorization"]
    return f"   ({'; '.join(shown)})" if shown else ""


def _station(number: int, station: Station, locate: Locate, style: Style, width: int) -> list[str]:
    title = f"{TITLES.get(station.name, station.name):<{width}}"
    marks = {ALLOWED: style.green("allowed"), DENIED: style.red("denied"), NOT_APPLICABLE: style.dim("—")}
    mark = marks.get(station.verdict, style.yellow("unknown"))
    place = next((p for m in (station.decider, *station.policies) if m is not None and (p := _mention_place(m, locate))), None)
    lines = [f"  {number} {style.bold(title)}  {mark}  {station.summary}{_at(place, style)}"]
    if station.verdict != ALLOWED:
        for reason in station.reasons[:6]:
            lines += _reason(reason, station, locate, style)
        if len(station.reasons) > 6:
            lines.append(f"      … and {len(station.reasons) - 6} rules more")
    return lines


def _reason(reason: Reason, station: Station, locate: Locate, style: Style, depth: int = 3, label: str = "") -> list[str]:
    """A rule with its fields: ✓ and ✗ before each, what it wants and what the call has."""
    metas = {m.meta.ref: m.meta for m in (*station.policies, *((station.decider,) if station.decider else ()))}
    sign = {True: style.green("✓"), False: style.red("✗"), None: style.yellow("?")}[reason.holds]
    pad = "  " * depth
    meta = metas.get(reason.object) if reason.object else None
    if not reason.parts:
        place = locate(meta.origin, reason.field) if meta else None
        wants = f" {', '.join(reason.wanted)}" if reason.wanted else ""
        actual = f" — the call has {reason.actual}" if reason.actual and not reason.holds else ""
        return [f"{pad}{label}{sign} {reason.text}{wants}{actual}{_at(place, style)}"]
    owner = (
        f"{reason.object.namespace}/{reason.object.name} "
        if reason.object and depth == 3 and reason.object.namespace
        else f"{reason.object.name} "
        if reason.object and depth == 3
        else ""
    )
    lines = [f"{pad}{sign} {owner}{reason.text}"]
    for part in reason.parts:
        if len(part.parts) == 1 and part.text in ("from", "to"):  # one alternative: its fields stand for it
            for leaf in part.parts[0].parts or part.parts:
                lines += _reason(leaf, station, locate, style, depth + 1, f"{part.text} ")
        else:
            lines += _reason(part, station, locate, style, depth + 1)
    return lines


def _mention_place(mention: Mention, locate: Locate) -> Place | None:
    return locate(mention.meta.origin, mention.field)


def _cause_place(cause: Cause, locate: Locate) -> Place | None:
    return locate(cause.meta.origin, cause.field) if cause.meta else None


def _at(place: Place | None, style: Style) -> str:
    return style.dim(f"   {place}") if place else ""


def trace_markdown(
    trace: Trace,
    locate: Locate,
    causes: Sequence[Cause],
    fixes: Sequence[Fix],
    patch_of: Callable[[Fix], Sequence[str]] = lambda _: (),
) -> str:
    """The answer for a ticket or a pull request."""
    sign = {ALLOWED: "✅", DENIED: "❌"}.get(trace.verdict, "❔")
    lines = [f"### {sign} {headline(trace)[2:]}", "", f"`{_call(trace)}`", "", "| # | Station | Verdict | |", "|---|---|---|---|"]
    number = 0
    for hop in trace.hops:
        for station in hop.stations:
            number += 1
            lines.append(f"| {number} | {TITLES.get(station.name, station.name)} | {station.verdict} | {_cell(station.summary)} |")
    lines.append("")
    for cause in causes:
        place = _cause_place(cause, locate)
        lines.append(f"- **Cause**: {cause.message}" + (f" (`{place}`)" if place else ""))
    for n, fix in enumerate(fixes):
        lines.append(f"- **{'Fix' if n == 0 else 'or'}**: {fix.description}{_checked(fix)}")
        lines += [f"  - opens more: {more}" for more in _opens(fix)]
        if n == 0 and (patch := patch_of(fix)):
            lines += ["", "  ```diff", *(f"  {line}" for line in patch), "  ```", ""]
    lines += [f"- **Missing**: {fact}" for fact in dict.fromkeys(missing.fact for missing in trace.missing)]
    lines += [f"- {note}" for note in trace.notes]
    return "\n".join(lines).rstrip() + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
