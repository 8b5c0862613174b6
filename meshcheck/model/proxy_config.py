"""What a running Envoy of Istio has: its own configuration, as far as it decides about calls that arrive at it.

Source: envoyproxy/envoy:api/envoy/admin/v3/config_dump.proto, api/envoy/config/rbac/v3/rbac.proto.
"""

from __future__ import annotations

from collections.abc import Iterable

from meshcheck.model.record import record, value


@value
class Leaf:
    """One comparison: `what` is compared (`peer`, `path`, `header :method` …), how (`exact`, `prefix` …), with which text.

    `how` is `raw` for what this version of meshcheck cannot read: its text is the JSON.
    """

    what: str
    how: str
    text: str = ""


@value
class All:
    """All parts hold; without parts anything goes."""

    parts: frozenset[Condition]


@value
class Some:
    """At least one part holds; without parts nothing ever does."""

    parts: frozenset[Condition]


@value
class Not:
    """The part does not hold."""

    part: Condition


Condition = Leaf | All | Some | Not
ANY, NEVER = All(frozenset()), Some(frozenset())


def all_of(parts: Iterable[Condition]) -> Condition:
    """A conjunction in the form in which equal ones are equal objects: flat, without repetition or order."""
    flat: set[Condition] = set()
    for part in parts:
        flat |= part.parts if isinstance(part, All) else {part}
    return NEVER if NEVER in flat else next(iter(flat)) if len(flat) == 1 else All(frozenset(flat))


def any_of(parts: Iterable[Condition]) -> Condition:
    """A disjunction, in the same form."""
    flat: set[Condition] = set()
    for part in parts:
        flat |= part.parts if isinstance(part, Some) else {part}
    return ANY if ANY in flat else next(iter(flat)) if len(flat) == 1 else Some(frozenset(flat))


def negation(part: Condition) -> Condition:
    """The opposite."""
    return NEVER if part == ANY else ANY if part == NEVER else part.part if isinstance(part, Not) else Not(part)


def leaves(condition: Condition) -> Iterable[Leaf]:
    """All comparisons of a condition."""
    if isinstance(condition, Leaf):
        yield condition
    elif isinstance(condition, Not):
        yield from leaves(condition.part)
    else:
        for part in condition.parts:
            yield from leaves(part)


ENFORCED, DRY_RUN, CUSTOM = "enforced", "dry-run", "custom"


@record
class RunningRules:
    """One RBAC filter's rules. `action` is ALLOW, DENY or LOG; `mode` is enforced, dry-run, or custom (they ask an external authorizer)."""

    action: str
    mode: str
    policies: tuple[tuple[str, Condition], ...]
    """Envoy's name of each policy, and when it matches."""


@value
class RunningProvider:
    """One issuer that the proxy checks tokens of."""

    issuer: str
    audiences: tuple[str, ...]
    jwks: str | None
    """Inline keys as text."""
    jwks_uri: str | None


@record
class InboundChain:
    """One filter chain of the listener that takes calls to the workload."""

    name: str
    port: int | None
    """The workload port that it is for; None for all that have none of their own."""
    transport: str
    """`tls`, `raw_buffer` (plaintext), or empty for both."""
    terminates_tls: bool
    asks_certificate: bool
    trusts: Condition
    """Which identities in certificates are taken: those of trust domains."""
    http: bool
    rules: tuple[RunningRules, ...]
    providers: tuple[RunningProvider, ...]
    filters: tuple[str, ...]
    """Names of all filters, in order; those of HTTP behind those of the network."""


@record
class RunningHost:
    """One virtual host of the proxy's outbound routes."""

    table: str
    """Name of the route configuration: a port, or `HOST:PORT`."""
    domains: tuple[str, ...]
    clusters: tuple[str, ...]
    """Where its routes lead."""


@record
class RunningProxy:
    """A proxy, and who it says it is. Empty texts where it does not say."""

    source: str
    """Where the configuration was read."""
    node: str
    namespace: str
    workload: str
    pod: str
    labels: tuple[tuple[str, str], ...]
    version: str
    """Istio's version."""
    updated: str
    """When the newest listener came, as Envoy writes times."""
    inbound: tuple[InboundChain, ...]
    hosts: tuple[RunningHost, ...] = ()
    """Outbound routes; empty where the dump has none."""
    clusters: frozenset[str] = frozenset()
    pending: tuple[str, ...] = ()
    """Listeners that Envoy has received and not taken into use: still warming, or refused, with the reason."""

    def chains(self, port: int) -> tuple[InboundChain, ...]:
        """The chains that a call to a workload port can meet."""
        own = tuple(chain for chain in self.inbound if chain.port == port)
        return own or tuple(chain for chain in self.inbound if chain.port is None)
