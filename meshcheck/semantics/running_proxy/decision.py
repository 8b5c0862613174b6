"""What the running proxy, as it is, makes of one call: its own rules, not those of the manifests.

Source: envoyproxy/envoy:source/extensions/filters/common/rbac/{engine_impl,matchers}.cc.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from meshcheck.model.proxy_config import CUSTOM, ENFORCED, All, Condition, InboundChain, Leaf, Not, RunningProxy, Some
from meshcheck.model.record import value
from meshcheck.semantics.addresses import parse_address, parse_block
from meshcheck.semantics.authorization.attributes import Attributes
from meshcheck.semantics.authorization.strings import compile_path
from meshcheck.semantics.expressions import fits


@value
class Answer:
    """`allowed` is None where it cannot be known; `policy_id` is Envoy's name of what decides."""

    allowed: bool | None
    words: str
    policy_id: str | None = None


def answer(proxy: RunningProxy, port: int, transport: str, attributes: Attributes) -> Answer:
    """What the RBAC filters of the chain say that takes the call. `transport` is mtls, tls or plaintext."""
    chain = _taking(proxy.chains(port), transport, attributes.http)
    if chain is None:
        arrives = {"mtls": "over mTLS", "tls": "over TLS without a certificate of the mesh"}.get(transport, "in plaintext")
        return Answer(False, f"no filter chain takes a call that arrives {arrives}")
    if transport == "mtls" and matches(chain.trusts, attributes) is False:
        domain = (attributes.principal or "").removeprefix("spiffe://").split("/")[0]
        return Answer(False, f"its filter chain does not take certificates of the trust domain `{domain}`")
    custom = [(n, c) for r in chain.rules for n, c in r.policies if n.startswith("istio-ext-authz-") or r.mode == CUSTOM]
    asked = _first(custom, attributes)
    for action in ("DENY", "ALLOW"):
        sets = [r for r in chain.rules if r.mode == ENFORCED and r.action == action]
        for rules in sets:
            found, maybe = _first(rules.policies, attributes)
            if action == "DENY" and found:
                return Answer(False, f"{found} matches", found)
            if maybe and not (action == "ALLOW" and found):
                return Answer(None, f"whether {maybe} matches")
            if action == "ALLOW" and not found:
                return Answer(False, "no ALLOW policy matches", "none")
    if name := asked[0] or asked[1]:
        return Answer(None, f"{name} asks an external authorizer")
    return Answer(True, "its rules let the call through")


def _taking(chains: Iterable[InboundChain], transport: str, http: bool) -> InboundChain | None:
    found = [chain for chain in chains if _takes(chain, transport)]
    return next((chain for chain in found if chain.http is http), found[0] if found else None)


def _takes(chain: InboundChain, transport: str) -> bool:
    if transport == "mtls":
        return chain.terminates_tls and chain.transport in ("tls", "")
    return not chain.terminates_tls and chain.transport in ("", "raw_buffer" if transport == "plaintext" else "tls")


def _first(policies: Iterable[tuple[str, Condition]], attributes: Attributes) -> tuple[str | None, str | None]:
    """The first policy by name that matches, and the first that may."""
    maybe = None
    for name, condition in policies:
        holds = matches(condition, attributes)
        if holds:
            return name, maybe
        if holds is None:
            maybe = maybe or name
    return None, maybe


def matches(condition: Condition, attributes: Attributes) -> bool | None:
    """Whether a condition holds for a call; None where an attribute is unknown, or the condition could not be read."""
    if isinstance(condition, Leaf):
        return _leaf(condition, attributes)
    if isinstance(condition, Not):
        inner = matches(condition.part, attributes)
        return None if inner is None else not inner
    results = {matches(part, attributes) for part in condition.parts}
    if isinstance(condition, All):
        return False if False in results else None if None in results else True
    assert isinstance(condition, Some)
    return True if True in results else None if None in results else False


def _leaf(leaf: Leaf, a: Attributes) -> bool | None:
    if leaf.what == "peer":
        return _known(a, "principal", lambda: a.principal is not None and _compare(leaf, a.principal))
    if leaf.what == "path":
        return _known(a, "path", lambda: _compare(leaf, a.path))
    if leaf.what == "port":
        return _known(a, "destination_port", lambda: str(a.destination_port) == leaf.text)
    if leaf.what == "sni":
        return _known(a, "sni", lambda: _compare(leaf, a.sni))
    if leaf.what.endswith(" address"):
        name = {"source address": "source_ip", "client address": "remote_ip", "destination address": "destination_ip"}[leaf.what]
        return _known(a, name, lambda: _inside(leaf.text, getattr(a, name)))
    kind, _, name = leaf.what.partition(" ")
    if kind == "header":
        return _header(leaf, name, a)
    if kind == "claim":
        return _known(a, "payload", lambda: a.payload is not None and _claim(leaf, name.split("/"), a.payload))
    return None


def _known(a: Attributes, name: str, check: Callable[[], bool]) -> bool | None:
    return None if name in a.unknown else check()


def _header(leaf: Leaf, name: str, a: Attributes) -> bool | None:
    pseudo = {":method": ("method", a.method), ":authority": ("authority", a.authority), ":path": ("path", a.path + a.query)}
    attribute, *texts = pseudo.get(name) or ("headers",)
    lines = texts or a.headers.get(name) or ()
    return _known(a, attribute, lambda: bool(lines) if leaf.how == "present" else any(_compare(leaf, line) for line in lines))


def _claim(leaf: Leaf, keys: list[str], payload: object) -> bool:
    found = payload
    for key in keys:
        if not isinstance(found, dict) or key not in found:
            return False
        found = found[key]
    if leaf.how.startswith("list "):
        return isinstance(found, list) and any(isinstance(item, str) and _compare(leaf, item) for item in found)
    return isinstance(found, str) and _compare(leaf, found)


def _inside(block: str, address: str) -> bool:
    found, wanted = parse_address(address), parse_block(block)
    return found is not None and wanted is not None and wanted.holds(found)


def _compare(leaf: Leaf, text: str) -> bool:
    how, wanted = leaf.how.removeprefix("list "), leaf.text
    if how.endswith(" ignoring case"):
        how, wanted, text = how.removesuffix(" ignoring case"), wanted.lower(), text.lower()
    if how == "exact":
        return text == wanted
    if how == "prefix":
        return text.startswith(wanted)
    if how == "suffix":
        return text.endswith(wanted)
    if how == "contains":
        return wanted in text
    if how == "template":
        return compile_path(wanted.replace("**", "\0").replace("*", "{*}").replace("\0", "{**}"))(text)
    return how == "present" or fits(wanted, text)
