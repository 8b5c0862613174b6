"""The verdict of one direction: what NetworkPolicies and Cilium's policies allow adds up, and what one of them denies is denied.

Sources: cilium/cilium:pkg/policy/repository.go (computePolicyEnforcementAndRules: isolation, and the node's way to its own pods),
pkg/policy/rule.go (mergeL4Filter: a rule without peers and ports matches nothing; rules without requests take away those of others),
pkg/policy/mapstate.go (a denial goes before everything).
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.model.cilium import CiliumPorts, CiliumRule
from meshcheck.model.network_policy import EGRESS, INGRESS
from meshcheck.model.record import NamedTuple
from meshcheck.model.trace import Mention
from meshcheck.semantics.network_policy.cilium import explanation
from meshcheck.semantics.network_policy.cilium.connection import Connection
from meshcheck.semantics.network_policy.cilium.names import all_match
from meshcheck.semantics.network_policy.cilium.peers import Peering, any_of, same_node
from meshcheck.semantics.network_policy.cilium.policies import CiliumSet, Selecting
from meshcheck.semantics.network_policy.cilium.requests import DENIED, admits
from meshcheck.semantics.network_policy.peers import Endpoint
from meshcheck.semantics.network_policy.ports import covers
from meshcheck.semantics.network_policy.side import Side
from meshcheck.semantics.network_policy.travelling import DNS, HTTP, OTHER, TLS, Request


class Match(NamedTuple):
    """A rule that means a connection, or (`sure` False) may mean it. `entries` are those of `toPorts` that cover the port."""

    one: Selecting
    rule: CiliumRule
    entries: tuple[CiliumPorts, ...]
    sure: bool

    def mention(self, direction: str, effect: str, field: tuple[str | int, ...] = ()) -> Mention:
        return Mention(self.one.policy.meta, direction, effect, self.rule.index, field or self.rule.field)

    @property
    def name(self) -> str:
        return f"{self.one.policy.meta.ref} {self.rule.section} rule {self.rule.index}"


def joined(policies: CiliumSet, plain: Side, isolated: bool, tiers: bool, call: Connection) -> Side:
    """The answer of NetworkPolicies (`plain`) with that of Cilium's. `isolated`: NetworkPolicies isolate the pod. `tiers`: admin policies
    have a say, too.
    """
    workload = call.subject.workload
    assert workload is not None
    if call.subject.host or workload.host_network:
        words = f"{workload} is in the host's network: to Cilium it is its node, not a pod"
        return of_a_node(policies, call.direction) or Side(call.direction, True, (), words)
    selecting = policies.selecting(call.subject, call.direction)
    mode = policies.around.mode
    if mode == "never" or (mode == "always" and not (selecting or isolated)):
        fact = f"what Cilium does with {workload}: its `enable-policy` is `{mode}`"
        return Side(call.direction, None, plain.mentions, fact, fact)
    if not selecting:
        return plain
    if tiers:
        fact = f"how Cilium weighs {selecting[0].policy.meta.ref} and admin network policies"
        return Side(call.direction, None, (_of(selecting[0], call.direction, ""), *plain.mentions), fact, fact)
    flawed = next((one for one in selecting if one.spec.flaw is not None), None)
    if flawed is not None:
        fact = f"whether Cilium takes {flawed.policy.meta.ref}: {flawed.spec.flaw}"
        return Side(call.direction, None, (_of(flawed, call.direction, ""), *plain.mentions), fact, fact)
    return _decided(policies, plain, isolated, selecting, call)


def _decided(policies: CiliumSet, plain: Side, isolated: bool, selecting: tuple[Selecting, ...], call: Connection) -> Side:
    matches = [match for one in selecting for match in _matches(policies, one, call)]
    denying = [match for match in matches if match.rule.denies]
    denial = next((match for match in denying if match.sure), None)
    if denial is not None:
        reasons = explanation.denial(denial.one, denial.rule) if call.explain else ()
        return Side(call.direction, False, (denial.mention(call.direction, "denies"),), f"{denial.name} denies it", None, reasons)
    if denying:
        return _unknown(plain, denying[0], call, f"whether {denying[0].name} means {_end(call.peer)}")
    shut = [one for one in selecting if call.direction in one.spec.isolates]
    allowing = [match for match in matches if not match.rule.denies]
    sure = [match for match in allowing if match.sure]
    if not isolated and not shut:
        return plain if plain.allowed is not True else Side(call.direction, True, (), f"no policy isolates {call.subject.workload}")
    if isolated and plain.allowed:
        return _hindered(plain, sure, call) or plain
    if sure:
        found = _requests(plain, sure, allowing, call)
        if found.allowed is False and not isolated and not any(one.sure for one in shut):
            return _unknown(plain, sure[0], call, f"whether {shut[0].policy.meta.ref} selects {call.subject.workload}")
        return found
    near = same_node(call.subject, call.peer) if call.direction == INGRESS else False
    if near:
        return Side(call.direction, True, (), f"{_end(call.peer)} is the node of {call.subject.workload}: Cilium lets it in")
    if allowing:
        return _unknown(plain, allowing[0], call, f"whether {allowing[0].name} means {_end(call.peer)}{_why(call, allowing[0])}")
    if near is None:
        fact = f"whether {_end(call.peer)} is the node on which {call.subject.workload} runs: Cilium lets a node reach its own pods"
        return Side(call.direction, None, plain.mentions, fact, fact)
    if isolated and plain.allowed is None:
        return plain
    if not isolated and not any(one.sure for one in shut):
        fact = f"whether {shut[0].policy.meta.ref} selects {call.subject.workload}"
        return Side(call.direction, None, (_of(shut[0], call.direction, ""),), fact, fact)
    return _closed(policies, plain, shut, selecting, call)


def _matches(policies: CiliumSet, one: Selecting, call: Connection) -> Iterator[Match]:
    peering = Peering(call.subject, call.peer, one.namespace, policies.around, lambda name: policies.resolves(call.subject, name))
    for rule in one.spec.rules(call.direction):
        entries: tuple[CiliumPorts, ...] = ()
        if rule.ports is not None:
            entries = tuple(e for e in rule.ports if any(covers(span, call.target, call.protocol, call.port) for span in e.ports))
            if not entries:
                continue
        answer = any_of(rule, peering)
        if answer is not False:
            yield Match(one, rule, entries, bool(answer) and one.sure and not any(name.endswith("Requires") for name in rule.unread))


def _requests(plain: Side, sure: list[Match], allowing: list[Match], call: Connection) -> Side:
    """The connection is let through; Cilium's proxy may look at what travels over it."""
    hindered = _hindered(plain, sure, call)
    if hindered is not None:
        return hindered
    free = next((match for match in sure if _is_free(match)), None)
    if free is not None or call.request is None:
        match = free or sure[0]
        return Side(call.direction, True, (match.mention(call.direction, "allows"),), f"{match.name} allows it")
    looking = [(match, entry) for match in sure for entry in match.entries]
    request, match = call.request, sure[0]
    unsure = next((m for m in allowing if not m.sure), None)
    if any(entry.dns for _, entry in looking):
        return _names(plain, looking, unsure, call, request)
    if request.kind != HTTP:
        what = {TLS: "a connection with TLS", OTHER: "a connection that is no HTTP"}.get(request.kind, "this connection")
        return _unknown(plain, match, call, f"what the HTTP rules of {match.name} make of {what}")
    maybe = None
    for found, entry in looking:
        for rule in entry.http:
            answer = admits(rule, request)
            if answer:
                mention = found.mention(call.direction, "allows", rule.field)
                return Side(call.direction, True, (mention,), f"{found.name} allows the request")
            maybe = maybe or (found if answer is None else None)
    if maybe is not None:
        return _unknown(
            plain, maybe, call, f"whether {maybe.name} lets the request through: it looks at headers that are not in the question"
        )
    if unsure is not None:
        return _unknown(plain, unsure, call, f"whether {unsure.name} means {_end(call.peer)}")
    mentions = tuple(dict.fromkeys(found.mention(call.direction, "denies", (*entry.field, "rules", "http")) for found, entry in looking))
    reasons = explanation.requests([(found.one, entry) for found, entry in looking], request) if call.explain else ()
    names = ", ".join(dict.fromkeys(str(found.one.policy.meta.ref) for found, _ in looking))
    return Side(
        call.direction, False, mentions, f"{names} lets the connection in, and no HTTP rule allows the request", None, reasons, DENIED
    )


def _names(plain: Side, looking: list[tuple[Match, CiliumPorts]], unsure: Match | None, call: Connection, request: Request) -> Side:
    """What the DNS proxy makes of a question."""
    match = looking[0][0]
    if request.kind != DNS:
        return _unknown(plain, match, call, f"which names are asked for: {match.name} looks at them")
    answer = all_match([wanted for _, entry in looking for wanted in entry.dns], request.names)
    name = request.names[-1] if request.names else "the name"
    if answer:
        return Side(call.direction, True, (match.mention(call.direction, "allows"),), f"{match.name} allows the question for {name}")
    if answer is None or unsure is not None:
        fact = f"whether the resolver of {call.subject.workload} goes on after a name that {match.name} refuses (glibc and musl differ)"
        return _unknown(plain, unsure or match, call, fact)
    mentions = tuple(dict.fromkeys(m.mention(call.direction, "denies", (*entry.field, "rules", "dns")) for m, entry in looking))
    return Side(call.direction, False, mentions, f"{match.one.policy.meta.ref} has no DNS rule for {name}")


def _hindered(plain: Side, sure: list[Match], call: Connection) -> Side | None:
    """Settings of which nobody knows here what they make of a connection."""
    if call.request is None:
        return None
    for match in sure:
        unread = next((name for entry in match.entries for name in entry.unread), next(iter(match.rule.unread), None))
        if unread is not None:
            return _unknown(plain, match, call, f"what `{unread}` of {match.name} makes of the connection")
    return None


def _is_free(match: Match) -> bool:
    """Whether a rule lets every request through."""
    return not match.entries or any(not entry.http and not entry.dns for entry in match.entries)


def of_a_node(policies: CiliumSet, direction: str) -> Side | None:
    """What policies for nodes say of a node; None where there are none of a direction."""
    about = policies.about_nodes(direction)
    if about is None:
        return None
    fact = f"whether Cilium's host firewall is on, and what {about.meta.ref} decides then"
    return Side(direction, None, (Mention(about.meta, direction, None, None, ("spec",)),), fact, fact)


def _closed(policies: CiliumSet, plain: Side, shut: list[Selecting], selecting: tuple[Selecting, ...], call: Connection) -> Side:
    mentions = (*(_of(one, call.direction, "isolates") for one in shut), *plain.mentions)
    names = ", ".join(dict.fromkeys(f"{m.meta.namespace}/{m.meta.name}" if m.meta.namespace else m.meta.name for m in mentions))
    reasons = (*plain.reasons, *explanation.closed(policies, selecting, call)) if call.explain else ()
    return Side(call.direction, False, mentions, f"{names} isolates it for {call.direction}, and no rule allows this call", None, reasons)


def _unknown(plain: Side, match: Match, call: Connection, fact: str) -> Side:
    return Side(call.direction, None, (match.mention(call.direction, ""), *plain.mentions), fact, fact)


def _of(one: Selecting, direction: str, effect: str) -> Mention:
    return Mention(one.policy.meta, direction, effect, None, (*one.spec.field, direction) if effect == "isolates" else one.spec.field)


def _why(call: Connection, match: Match) -> str:
    """Which fact about the other end is missing."""
    peer = call.peer
    if peer.workload is not None and not peer.labels_known:
        return f": the labels of namespace {peer.workload.namespace} are not in the input"
    if peer.maybe_pod:
        return ": it may be the address of a pod that is not in the input"
    if any(str(p.field[-2]) == "toFQDNs" for p in match.rule.peers or ()) and call.direction == EGRESS:
        return ": that hangs on the answers of DNS that Cilium has seen"
    return "" if peer.address or peer.workload is not None else ": its address is not in the input"


def _end(end: Endpoint) -> str:
    return str(end.workload) if end.workload else end.address or "the caller"
