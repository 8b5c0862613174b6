"""Where a running sidecar differs from what the manifests mean for its workload."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from meshcheck.model.core import Workload
from meshcheck.model.istio_networking import INBOUND
from meshcheck.model.istio_security import AuthorizationPolicy
from meshcheck.model.objects import Meta, Path
from meshcheck.model.pattern import pattern
from meshcheck.model.proxy_config import ANY, CUSTOM, DRY_RUN, ENFORCED, Condition, InboundChain, Leaf, RunningProxy, any_of, leaves
from meshcheck.model.record import replace, value
from meshcheck.semantics.authorization.policies import CompiledRule
from meshcheck.semantics.running_proxy.expected import Expected, expected_of
from meshcheck.semantics.running_proxy.words import fields_of, leaf_words
from meshcheck.semantics.tracing.proxies import compiled
from meshcheck.semantics.tracing.server import peer_mode
from meshcheck.semantics.world.control_plane import ANY_TRUST_DOMAIN, switched
from meshcheck.semantics.world.revisions import view_of
from meshcheck.semantics.world.world import World

MISSING, STALE, SURPLUS, MODE, TOKENS, ADDED, UNREAD, PENDING = (
    "missing", "stale", "surplus", "mtls", "tokens", "added", "unread", "pending",
)  # fmt: skip
_BAD = "-deny-due-to-bad-CUSTOM-action"
_NAME = pattern(r"(?:istio-ext-authz-(.+?)-)?ns\[(.*?)\]-policy\[(.*?)\]-rule\[(\d+)\]")
_OWN = pattern(
    r"istio[._]|envoy\.filters\.network\.(metadata_exchange|http_connection_manager|tcp_proxy|rbac|ext_authz|mysql_proxy|mongo_proxy|sni_cluster)$"
    r"|envoy\.filters\.http\.(rbac|ext_authz|jwt_authn|grpc_stats|grpc_web|fault|cors|router|peer_metadata|connect_authority|stateful_session)$"
)
"""Filters that Istio puts into a sidecar by itself; istio/istio:pilot/pkg/networking/core/listener_builder.go, pilot/pkg/xds/filters."""

Running = Mapping[tuple[str, str], Mapping[str, Condition]]


@value
class Difference:
    """One thing that is otherwise in the proxy. `message` says what both sides have."""

    kind: str
    message: str
    meta: Meta | None = None
    field: Path = ()
    policy_id: str | None = None
    chains: tuple[str, ...] = ()
    """Names of the filter chains in which it is so; empty for the proxy as a whole."""


_DENIES_ALL = Difference(SURPLUS, "the proxy has an ALLOW filter without any policy, which denies everything")


def differences(world: World, workload: Workload, proxy: RunningProxy, port: int | None = None) -> tuple[Difference, ...]:
    """All differences at one port of the workload, or at all ports that the proxy has chains for."""
    world = view_of(world, workload)
    found: dict[Difference, list[str]] = {}
    chains = proxy.chains(port) if port is not None else proxy.inbound
    for chain in chains:
        for difference in _of_chain(world, workload, chain):
            found.setdefault(difference, []).append(chain.name)
    if any(difference.kind == SURPLUS and difference.policy_id for difference in found):
        found.pop(_DENIES_ALL, None)  # what is left of the same policy in a chain that cannot check it
    out = [replace(difference, chains=tuple(dict.fromkeys(names))) for difference, names in found.items()]
    for number in (port,) if port is not None else sorted({chain.port for chain in chains if chain.port is not None}):
        out += _mutual_tls(world, workload, proxy.chains(number), number)
    return (*out, *(Difference(PENDING, words) for words in proxy.pending))


def _of_chain(world: World, workload: Workload, chain: InboundChain) -> Iterator[Difference]:
    wanted, running = expected_of(compiled(world, workload, chain.http), world.mesh), _running(chain)
    if not chain.http:
        wanted, running = _without_authorizers(world, wanted, running)
    yield from _policies(world, wanted, running)
    if chain.http:
        yield from _tokens(world, workload, chain)
    yield from _filters(world, workload, chain)
    yield from _trusts(world, chain)


def _running(chain: InboundChain) -> Running:
    """The policies of a chain by mode and action. Those that ask an authorizer are known by their names, however the filter is set up."""
    found: dict[tuple[str, str], dict[str, Condition]] = {}
    for rules in chain.rules:
        if rules.mode == ENFORCED:
            found.setdefault((ENFORCED, rules.action), {})
        for name, condition in rules.policies:
            mode = CUSTOM if name.startswith("istio-ext-authz-") else rules.mode
            found.setdefault((mode, rules.action), {})[name.removesuffix(_BAD)] = condition
    return found


def _without_authorizers(world: World, wanted: Expected, running: Running) -> tuple[Expected, Running]:
    """A TCP chain cannot ask authorizers over HTTP; of a provider that is not known, nobody can say."""
    asked = {name: policy.provider for (mode, _), named in wanted.items() if mode == CUSTOM for name, (policy, _, _) in named.items()}
    kinds = {provider.name: provider.kind for provider in world.mesh.providers}
    open_ = {name for name, provider in asked.items() if provider not in kinds and not (world.closed or world.mesh.known)}
    over_http = {name for name, provider in asked.items() if kinds.get(provider or "") == "envoyExtAuthzHttp"}
    return (
        {key: {n: found for n, found in named.items() if n not in open_ | over_http} for key, named in wanted.items()},
        {key: {n: found for n, found in named.items() if n not in open_} for key, named in running.items()},
    )


# ---- AuthorizationPolicy ----


def _policies(world: World, wanted: Expected, running: Running) -> Iterator[Difference]:
    where = {(mode == DRY_RUN, name): (mode, action) for (mode, action), named in running.items() for name in named}
    for (mode, action), named in wanted.items():
        lost: dict[Meta, list[int]] = {}
        for name, (policy, rule, condition) in named.items():
            other = where.get((mode == DRY_RUN, name)) or where.get((mode != DRY_RUN, name))
            if other is None:
                lost.setdefault(policy.meta, []).append(rule.rule.index if rule else 0)
            elif other != (mode, action):
                words = f"the proxy has it as {_words(*other)}; the manifests say {_words(mode, action)}"
                yield Difference(STALE, f"{_named(policy)}: {words}", policy.meta, ("spec", "action"), name)
            else:
                yield from _content(policy, rule, name, condition, running[other][name])
        for policy in dict.fromkeys(policy for policy, _, _ in named.values()):
            if policy.meta in lost:
                yield _missing(policy, sorted(lost[policy.meta]), [p for p, _, _ in named.values()].count(policy))
    known = {name for named in wanted.values() for name in named}
    for key, conditions in running.items():
        for name in conditions.keys() - known:
            yield _surplus(world, name, _words(*key))
    allow = (ENFORCED, "ALLOW")
    if allow not in wanted and running.get(allow) == {}:
        yield _DENIES_ALL
    if wanted.get(allow) == {} and allow not in running:
        yield Difference(MISSING, "an ALLOW filter without any policy, which denies everything, is not in the proxy (yet)")


def _missing(policy: AuthorizationPolicy, lost: list[int], all_: int) -> Difference:
    if len(lost) == all_:
        return Difference(MISSING, f"{_named(policy)} is not in the proxy (yet)", policy.meta)
    rules = ", ".join(map(str, lost))
    words = f"{_named(policy)}: rule{'s' if len(lost) > 1 else ''} {rules} {'are' if len(lost) > 1 else 'is'} not in the proxy (yet)"
    return Difference(MISSING, words, policy.meta, ("spec", "rules", lost[0]))


def _content(
    policy: AuthorizationPolicy, rule: CompiledRule | None, name: str, wanted: Condition, running: Condition
) -> Iterator[Difference]:
    if wanted == running:
        return
    index = rule.rule.index if rule else 0
    head, field = f"{_named(policy)} rule {index}", ("spec", "rules", index)
    unread = [leaf for leaf in leaves(running) if leaf.how == "raw" or "istio_authn" in leaf.what]
    if unread:
        words = (
            f"{head}: the proxy has a condition that meshcheck cannot read, so the rule is not compared: {unread[0].text or unread[0].what}"
        )
        yield Difference(UNREAD, words[:300], policy.meta, field, name)
        return
    mine, theirs = fields_of(wanted), fields_of(running)
    changed = [key for key in dict.fromkeys((*mine, *theirs)) if mine.get(key) != theirs.get(key)]
    for key in changed:
        word = _written(*key)
        words = f"{head}: the proxy has {_values(word, theirs.get(key))}; the manifests say {_values(word, mine.get(key))}"
        yield Difference(STALE, words, policy.meta, _field(rule, key) or field, name)
    if not changed:
        yield Difference(STALE, f"{head}: the proxy has the same values, combined in another way", policy.meta, field, name)


def _values(word: str, values: frozenset[str] | None) -> str:
    return f"{word} {', '.join(sorted(values))}" if values else f"no {word}"


def _written(name: str, negated: bool) -> str:
    if not negated:
        return name
    return f"{name} (notValues)" if "." in name else "not" + name[0].upper() + name[1:]


def _field(rule: CompiledRule | None, key: tuple[str, bool]) -> Path | None:
    """Where a field stands in the rule."""
    if rule is None:
        return None
    groups = (*rule.rule.sources, *rule.rule.operations, rule.rule.conditions)
    return next((f.path for group in groups for f in group if (f.name, f.negated) == key), None)


def _surplus(world: World, name: str, words: str) -> Difference:
    found = _NAME.fullmatch(name)
    if found is None:
        return Difference(ADDED, f"the proxy has an RBAC policy `{name}` ({words}) that no AuthorizationPolicy makes", policy_id=name)
    namespace, policy, rule = found[2], found[3], int(found[4])
    there = next((p for p in world.inventory.of("AuthorizationPolicy") if (p.meta.namespace, p.meta.name) == (namespace, policy)), None)
    head = f"the proxy has AuthorizationPolicy {namespace}/{policy} rule {rule} ({words})"
    if there is None:
        end = (
            "which does not exist any more"
            if world.closed
            else "which the input does not hold: it was removed, or is missing from the input"
        )
        return Difference(SURPLUS, f"{head}, {end}", policy_id=name)
    if rule >= len(there.rules) and there.rules:
        return Difference(STALE, f"{head}; in the manifests it has {len(there.rules)}", there.meta, ("spec", "rules"), name)
    return Difference(SURPLUS, f"{head}, which does not apply to this workload by the manifests", there.meta, (), name)


def _named(policy: AuthorizationPolicy) -> str:
    return f"AuthorizationPolicy {policy.meta.namespace}/{policy.meta.name}"


def _words(mode: str, action: str) -> str:
    word = {"LOG": "AUDIT"}.get(action, action) if mode != CUSTOM else "CUSTOM"
    return f"{word}, dry-run" if mode == DRY_RUN else word


# ---- mTLS, tokens, other filters ----


def _mutual_tls(world: World, workload: Workload, chains: tuple[InboundChain, ...], port: int) -> Iterator[Difference]:
    running, wanted = mode_of(chains), peer_mode(world, workload, port)
    if running is not None and running != wanted.mode:
        by = f" ({wanted.policy.meta.namespace}/{wanted.policy.meta.name})" if wanted.policy else " by default"
        words = f"port {port}: the proxy is {running}; the manifests say {wanted.mode}{by}"
        yield Difference(MODE, words, wanted.policy.meta if wanted.policy else None, wanted.field if wanted.policy else ())


def _trusts(world: World, chain: InboundChain) -> Iterator[Difference]:
    """Trust domains; istio/istio:pilot/pkg/security/authn/utils/utils.go:BuildInboundTLS."""
    accepted = world.mesh.accepted_domains
    if switched(world, ANY_TRUST_DOMAIN):
        return
    wanted = any_of(Leaf("peer", "prefix", f"spiffe://{domain}/") for domain in accepted)
    if chain.asks_certificate and chain.trusts not in (wanted, ANY) and all(leaf.how != "raw" for leaf in leaves(chain.trusts)):
        has = ", ".join(sorted(leaf_words(leaf)[1] for leaf in leaves(chain.trusts)))
        words = f"the proxy takes certificates of the trust domains {has}; mesh config says {', '.join(sorted(accepted))}"
        yield Difference(MODE, words, world.mesh.meta)


def mode_of(chains: tuple[InboundChain, ...]) -> str | None:
    """The mTLS mode that chains stand for; None without any.

    Source: istio/istio:pilot/pkg/networking/core/listener_inbound.go:getFilterChainsByServicePort, pilot/pkg/security/authn/utils.
    """
    if not chains:
        return None
    asks = any(chain.terminates_tls and chain.asks_certificate for chain in chains)
    plain = any(not chain.terminates_tls for chain in chains)
    return "PERMISSIVE" if asks and plain else "STRICT" if asks else "DISABLE"


def _tokens(world: World, workload: Workload, chain: InboundChain) -> Iterator[Difference]:
    wanted = [(policy, rule) for policy in world.request_authentications(workload) for rule in policy.rules]
    running = {provider.issuer: provider for provider in chain.providers}
    for policy, rule in wanted:
        name, provider = f"RequestAuthentication {policy.meta.namespace}/{policy.meta.name}", running.get(rule.issuer)
        if provider is None:
            yield Difference(MISSING, f"{name}: issuer {rule.issuer} is not in the proxy (yet)", policy.meta, rule.path)
            continue
        if sum(other.issuer == rule.issuer for _, other in wanted) > 1:
            continue  # which of them is which cannot be told
        if set(provider.audiences) != set(rule.audiences):
            has, say = (", ".join(sorted(texts)) or "none" for texts in (provider.audiences, rule.audiences))
            words = f"{name}: issuer {rule.issuer}: the proxy has audiences {has}; the manifests say {say}"
            yield Difference(TOKENS, words, policy.meta, (*rule.path, "audiences"))
        if rule.jwks and provider.jwks is not None and _json(rule.jwks) != _json(provider.jwks):
            words = f"{name}: issuer {rule.issuer}: the proxy has other keys than the manifests"
            yield Difference(TOKENS, words, policy.meta, (*rule.path, "jwks"))
    for issuer in running.keys() - {rule.issuer for _, rule in wanted}:
        yield Difference(SURPLUS, f"the proxy checks tokens of issuer {issuer}, which no RequestAuthentication of the input asks for")


def _json(text: str) -> object:
    import json

    try:
        return json.loads(text)
    except ValueError:
        return text


def _filters(world: World, workload: Workload, chain: InboundChain) -> Iterator[Difference]:
    known = [e for e in world.extensions(workload) if e.is_for(INBOUND, chain.port, chain.http)]
    by = " or ".join(f"{e.meta.ref}" for e in known)
    for name in dict.fromkeys(name for name in chain.filters if not _OWN.match(name)):
        end = f"added by {by}" if known else "added by an EnvoyFilter or a plugin that the input does not hold"
        words = f"filter `{name}` is none of Istio's own: {end}; what it makes of calls is not known"
        yield Difference(ADDED, words, known[0].meta if len(known) == 1 else None)
