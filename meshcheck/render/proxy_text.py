"""A running proxy beside the manifests, as text and Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.model.trace import ALLOWED, DENIED, UNKNOWN, Trace
from meshcheck.render.style import Style
from meshcheck.render.trace_json import Locate
from meshcheck.semantics.running_proxy.comparison import Comparison
from meshcheck.semantics.running_proxy.differences import Difference

VERDICTS = {True: ALLOWED, False: DENIED, None: UNKNOWN}


def proxy_text(comparison: Comparison, locate: Locate, style: Style, trace: Trace | None = None) -> str:
    """The section below a trace, or the answer of `meshcheck proxy`; ends in a newline."""
    lines = [f"  {style.bold('Proxy')}   {_who(comparison)}"]
    if trace is not None:
        lines.append(f"          {_verdict(comparison, trace, style)}")
    width = max((len(difference.kind) for difference in comparison.differences), default=0)
    for difference in comparison.differences:
        place = locate(difference.meta.origin, difference.field) if difference.meta else None
        at = style.dim(f"   {place}") if place else ""
        lines.append(f"          {style.yellow('≠')} {difference.kind:<{width}}  {difference.message}{_chains(comparison, difference)}{at}")
    if not comparison.differences:
        lines.append(f"          {style.green('=')} it has what the manifests mean: {_compared(comparison)}")
    return "\n".join(lines) + "\n"


def proxy_warning(comparison: Comparison, trace: Trace, style: Style) -> str:
    """A line before everything else, where what runs is not what the answer below it is about; else empty."""
    if not disagrees(comparison, trace) or comparison.answer is None:
        return ""
    does = "lets this call through" if comparison.answer.allowed else "denies this call"
    return style.yellow(f"! the sidecar of {comparison.workload}, as it runs, {does}: below is what the manifests mean; see Proxy") + "\n"


def proxy_markdown(comparison: Comparison, locate: Locate, trace: Trace | None = None) -> str:
    """The same for a ticket."""
    lines = [f"- **Running proxy** {_who(comparison)}"]
    if trace is not None:
        lines.append(f"  - {_verdict(comparison, trace, Style(False))}")
    for difference in comparison.differences:
        place = locate(difference.meta.origin, difference.field) if difference.meta else None
        lines.append(f"  - {difference.kind}: {difference.message}" + (f" (`{place}`)" if place else ""))
    if not comparison.differences:
        lines.append(f"  - it has what the manifests mean: {_compared(comparison)}")
    return "\n".join(lines) + "\n"


def _who(comparison: Comparison) -> str:
    proxy = comparison.proxy
    pod = f"{proxy.namespace}/{proxy.pod}" if proxy.pod else proxy.source
    told = [f"sidecar of {comparison.workload}", *([f"port {comparison.port}"] if comparison.port else [])]
    told += [f"Istio {proxy.version}"] if proxy.version else []
    told += [f"configuration of {proxy.updated[:19].replace('T', ' ')}"] if proxy.updated else []
    return f"{pod}   {', '.join(told)}"


def _verdict(comparison: Comparison, trace: Trace, style: Style) -> str:
    said = comparison.answer
    if said is None:
        return "? the call does not arrive at it; of what it sends, only that the route is there is looked at"
    words = {True: "lets the call through", False: "denies the call", None: "may let the call through or not"}[said.allowed]
    mark = {True: style.green("✓"), False: style.red("✗"), None: style.yellow("?")}[said.allowed]
    line = f"{mark} as it runs, it {words}: {said.words}"
    if said.allowed is not None and trace.verdict in (ALLOWED, DENIED) and disagrees(comparison, trace):
        line += style.yellow("   — not what the manifests mean")
    return line


def disagrees(comparison: Comparison, trace: Trace) -> bool:
    """Whether the running proxy decides otherwise than the manifests would have it."""
    said = comparison.answer
    if said is None or said.allowed is None:
        return False
    refused = any(
        station.verdict == DENIED and station.enforcer == "sidecar" and station.workload == str(comparison.workload)
        for hop in trace.hops
        for station in hop.stations
        if station.name in ("mtls", "authorization", "custom")
    )
    return said.allowed == refused


def _chains(comparison: Comparison, difference: Difference) -> str:
    """In which chains, where it is not the same in all of them."""
    every = {c.name for c in (comparison.proxy.chains(comparison.port) if comparison.port else comparison.proxy.inbound)}
    names = [name for name in difference.chains if name]
    return "" if not names or set(names) == every else f"   [{', '.join(names)}]"


def _compared(comparison: Comparison) -> str:
    chains = comparison.proxy.chains(comparison.port) if comparison.port else comparison.proxy.inbound
    policies = len({name for chain in chains for rules in chain.rules for name, _ in rules.policies})
    return ", ".join(_counted(policies, len(chains), sum(len(chain.providers) for chain in chains) > 0))


def _counted(policies: int, chains: int, tokens: bool) -> Iterator[str]:
    yield f"{policies} polic{'y' if policies == 1 else 'ies'} of RBAC" if policies else "no policy of RBAC"
    if tokens:
        yield "issuers of tokens"
    yield f"mTLS, and {chains} filter chain{'' if chains == 1 else 's'}"
