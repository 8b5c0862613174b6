"""What a rule says of one end of a connection: selectors, addresses, a Service, ports. Everything that is written must hold.

Selectors mean endpoints and sets of addresses, and nothing else: an address of neither is meant by none of them, and hence by every
`notSelector`. Addresses mean pods as well.

Sources: projectcalico/calico:felix/calc/rule_scanner.go (ruleToParsedRule), app-policy/checker/match.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from meshcheck.model.calico import CalicoPort, EntityRule, SelectorPart
from meshcheck.model.calico_selectors import either
from meshcheck.model.network_policy import EGRESS
from meshcheck.model.objects import Path
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.addresses import parse_address, parse_block
from meshcheck.semantics.network_policy.calico.labels import is_endpoint, of_pod, of_set, selected
from meshcheck.semantics.network_policy.calico.surroundings import Surroundings
from meshcheck.semantics.network_policy.peers import Endpoint

_EVERY_PORT = ((0, 65535), (1, 65535))


class Condition(NamedTuple):
    """One thing that a rule wants. `holds` is None where a fact is `missing`."""

    text: str
    holds: bool | None
    field: Path
    wanted: tuple[str, ...]
    actual: str
    missing: str = ""


class Connection(NamedTuple):
    """A connection as one side sees it."""

    direction: str
    source: Endpoint
    target: Endpoint
    protocol: str
    port: int
    strict: bool
    explain: bool

    @property
    def subject(self) -> Endpoint:
        """The end that policies are about."""
        return self.source if self.direction == EGRESS else self.target

    @property
    def peer(self) -> Endpoint:
        """The other end."""
        return self.target if self.direction == EGRESS else self.source


def named(end: Endpoint) -> str:
    """An end in words."""
    return str(end.workload) if end.workload is not None else end.address or "an address that is not in the input"


def conditions(entity: EntityRule, end: Endpoint, call: Connection, around: Surroundings) -> Iterator[Condition]:
    """What a rule says of the source or the destination."""
    if entity.selectors:
        yield from _selectors(entity, end, call, around)
    if entity.excluded is not None:
        yield _excluded(entity.excluded, end, call, around)
    if entity.nets:
        yield _in_nets("nets", entity.nets, end, call, (*entity.field, "nets"), True)
    if entity.not_nets:
        yield _in_nets("notNets", entity.not_nets, end, call, (*entity.field, "notNets"), False)
    if entity.service is not None:
        yield _service(entity, end, call, around)
    if entity.ports:
        yield _ports("ports", entity.ports, end, call, (*entity.field, "ports"), True)
    if entity.not_ports:
        yield _ports("notPorts", entity.not_ports, end, call, (*entity.field, "notPorts"), False)
    if entity.unread:
        fact = f"what `{entity.unread}` of the rule means: meshcheck does not evaluate it"
        yield Condition(entity.unread, None, (*entity.field, entity.unread), (), named(end), fact)


# ---- selectors ----


def _selectors(entity: EntityRule, end: Endpoint, call: Connection, around: Surroundings) -> Iterator[Condition]:
    parts = entity.selectors
    found, missing = means(parts, end, call, around)
    if found is False and is_endpoint(end):
        look = of_pod(end, around)
        for part in parts:
            if part.expression.holds(look) is False:
                yield Condition(part.name, False, part.field, (part.wanted,), _labels_in(part, end))
        return
    names, wanted = " and ".join(part.name for part in parts), tuple(part.wanted for part in parts)
    actual = named(end) if end.workload is not None else f"{named(end)}, which is no pod and in no network set that is meant"
    yield Condition(names, found, parts[-1].field, wanted, actual, missing)


def _labels_in(part: SelectorPart, end: Endpoint) -> str:
    """What a pod has of a selector's labels."""
    workload, namespace = end.workload, end.namespace
    assert workload is not None
    if part.name == "namespace":
        return f"namespace {workload.namespace}"
    if part.name.startswith("serviceAccount"):
        return f"service account {workload.service_account}"
    if part.name == "namespaceSelector" and namespace is not None:
        return f"namespace {workload.namespace} with {_words(namespace.labels)}"
    return f"{named(end)} with {_words(workload.pod_labels)}"


def _words(labels: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={text}" for key, text in list(labels.items())[:6]) or "no labels"


def means(parts: tuple[SelectorPart, ...], end: Endpoint, call: Connection, around: Surroundings) -> tuple[bool | None, str]:
    """Whether selectors mean an end, by its labels or as an address of a network set; and the fact that is missing."""
    words = " and ".join(f"`{part.wanted.strip()}`" for part in parts)
    answers: list[tuple[bool | None, str]] = []
    if is_endpoint(end):
        assert end.workload is not None
        fact = f"whether {words} means {end.workload}: the labels of its namespace or of its service account are not in the input"
        answers.append((selected(parts, of_pod(end, around)), fact))
    elif end.maybe_pod:
        answers.append((None, f"whether {words} means {named(end)}: it may be the address of a pod that is not in the input"))
    elif (end.host or end.doubtful) and around.hosts:
        answers.append((None, f"whether {words} means {named(end)}: a HostEndpoint may stand for it"))
    answers += _sets(parts, words, end, call, around)
    found = either(answer for answer, _ in answers)
    return found, next((fact for answer, fact in answers if answer is None), "") if found is None else ""


def _sets(
    parts: tuple[SelectorPart, ...], words: str, end: Endpoint, call: Connection, around: Surroundings
) -> Iterator[tuple[bool | None, str]]:
    """Network sets that selectors mean, as far as the address may be in them."""
    address = parse_address(end.address) if end.address else None
    for one in around.sets:
        meant = selected(parts, of_set(one, around))
        if meant is False:
            continue
        inside = None if address is None or one.by_names else False
        if address is not None and any((block := parse_block(net)) is not None and block.holds(address) for net in one.nets):
            inside = True
        if inside is None and call.strict:
            inside = False
        if inside is not False:
            yield (meant if inside else None), f"whether {named(end)} is in {one.meta.ref}, which {words} means"
    if end.workload is None and not end.host and not call.strict and not around.sets_complete and not _known(parts, around):
        yield None, f"whether a network set that is not in the input has the labels of {words}, and holds {named(end)}"


def _known(parts: tuple[SelectorPart, ...], around: Surroundings) -> bool:
    """Whether anything in the input is meant by selectors: then nobody looks for what else they may mean."""
    if parts not in around.kept:
        sets = any(selected(parts, of_set(one, around)) is not False for one in around.sets)
        around.kept[parts] = sets or any(selected(parts, of_pod(end, around)) is not False for end in around.pods())
    return around.kept[parts]


def _excluded(part: SelectorPart, end: Endpoint, call: Connection, around: Surroundings) -> Condition:
    found, missing = means((part,), end, call, around)
    return Condition(part.name, None if found is None else not found, part.field, (f"not {part.wanted}",), named(end), missing)


# ---- addresses, Services and ports ----


def _in_nets(name: str, nets: tuple[str, ...], end: Endpoint, call: Connection, field: Path, wanted: bool) -> Condition:
    address = parse_address(end.address) if end.address else None
    blocks = [block for block in map(parse_block, nets) if block is not None]
    found: bool | None = None
    if address is not None:
        found = any(block.holds(address) for block in blocks)
    elif {block.bits for block in blocks if not block.bits - block.shift} == {32, 128}:
        found = True
    elif call.strict:
        found = False
    words = tuple(nets) if wanted else (f"none of {', '.join(nets)}",)
    fact = f"whether {named(end)} is in {', '.join(nets)}: its address is not in the input"
    return Condition(name, found if found is None or wanted else not found, field, words, end.address or named(end), fact)


def _service(entity: EntityRule, end: Endpoint, call: Connection, around: Surroundings) -> Condition:
    """Endpoints of a Service; as a destination, at their port."""
    assert entity.service is not None
    name = "/".join(entity.service)
    destination = entity.field[-1] == "destination"
    found = around.backs(entity.service, end, call.protocol, call.port if destination else None)
    fact = f"whether {named(end)} is an endpoint of Service {name}"
    actual = f"{named(end)}, port {call.port}" if destination else named(end)
    return Condition("services", found, (*entity.field, "services"), (f"endpoints of Service {name}",), actual, fact)


def _ports(name: str, ports: Iterable[CalicoPort], end: Endpoint, call: Connection, field: Path, wanted: bool) -> Condition:
    destination = field[-2] == "destination"
    answers = [_covers(port, end, call) if destination else True if (port.low, port.high) in _EVERY_PORT else None for port in ports]
    found = either(answers)
    fact = f"which port {named(end)} sends from"
    actual = f"{call.protocol} {call.port}" if destination else "a port that the caller's system chooses"
    words = tuple(map(str, ports)) if wanted else (f"none of {', '.join(map(str, ports))}",)
    return Condition(name, found if found is None or wanted else not found, field, words, actual, fact)


def _covers(port: CalicoPort, end: Endpoint, call: Connection) -> bool:
    if not port.name:
        return port.low <= call.port <= port.high
    if not is_endpoint(end) or end.workload is None:
        return False
    return any(p.name == port.name and p.number == call.port and p.protocol == call.protocol for p in end.workload.ports)
