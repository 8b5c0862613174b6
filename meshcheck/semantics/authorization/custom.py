"""The CUSTOM action: which requests go to an external authorizer, and what an unusable one does.

Source: istio/istio:pilot/pkg/security/authz/builder/extauthz.go, builder.go:getBadCustomDenyRules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshcheck.model.cluster_kinds import MESH_CONFIG
from meshcheck.model.mesh_config import ExtensionProvider
from meshcheck.model.pattern import pattern
from meshcheck.semantics.authorization.attributes import Attributes
from meshcheck.semantics.authorization.evaluate import Decision, first_match, missing_attribute
from meshcheck.semantics.authorization.policies import CompiledPolicies, CompiledRule
from meshcheck.semantics.world.control_plane import SEVERAL_AUTHORIZERS, switched

if TYPE_CHECKING:
    from meshcheck.semantics.world.world import World

_LABEL = pattern(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_KINDS = ("envoyExtAuthzHttp", "envoyExtAuthzGrpc")
_BAD = "-deny-due-to-bad-CUSTOM-action"


def evaluate(policies: CompiledPolicies, a: Attributes, world: World) -> Decision:
    """What the CUSTOM policies of a workload do with a call.

    A matching request goes to its provider, whose answer nobody knows here; a provider that Istio cannot use denies it.
    """
    names = sorted({rule.policy.provider or "" for rule in policies.custom})
    mixed = len(names) > 1 and not switched(world, SEVERAL_AUTHORIZERS)
    undecided: Decision | None = None
    for name in names:
        rules = [rule for rule in policies.custom if (rule.policy.provider or "") == name]
        provider = next((p for p in world.mesh.providers if p.name == name), None)
        if provider is not None and not a.http and provider.kind == "envoyExtAuthzHttp":
            continue  # nothing is installed on TCP chains
        matched, maybe = first_match(rules, a)
        rule = matched or maybe
        if rule is None:
            continue
        if provider is None and not (world.complete(MESH_CONFIG) or world.mesh.known):
            fact = f"the mesh config: whether it has an extensionProvider `{name}`"
            undecided = undecided or Decision(None, rule, None, fact, f"{_where(rule)}: asks the external authorizer `{name}`")
            continue
        trouble = "several providers on one workload" if mixed else unusable(name, provider, world)
        if trouble and matched:
            return Decision(
                False,
                matched,
                matched.name + _BAD,
                None,
                f"{_where(matched)}: provider `{name}` cannot be used ({trouble}), so what its rules match is denied",
            )
        if provider is not None and matched and _no_such_port(provider, world):
            if provider.fail_open:
                continue
            status = int(provider.status_on_error) if provider.status_on_error.isdigit() else 403
            why = f"{_where(matched)}: authorizer `{name}` has no port {provider.port} at `{provider.service}`, so asking it fails"
            return Decision(False, matched, None, None, why, status)
        fact = missing_attribute(rule, a) if matched is None else f"what the external authorizer `{name}` answers"
        undecided = undecided or Decision(None, rule, None, fact, f"{_where(rule)}: asks the external authorizer `{name}`")
    return undecided or Decision(True, None, None, None, "no CUSTOM rule matches")


def _no_such_port(provider: ExtensionProvider, world: World) -> bool:
    """Whether the input shows that the authorizer's Service has not the port that mesh config names."""
    service = next((s for s in world.services if s.host == provider.service.rpartition("/")[2]), None)
    return service is not None and all(port.number != provider.port for port in service.ports)


def _where(rule: CompiledRule) -> str:
    return f"{rule.policy.meta.namespace}/{rule.policy.meta.name} rule {rule.rule.index}"


def unusable(name: str, provider: ExtensionProvider | None, world: World) -> str | None:
    """Why Istio cannot use a provider; None when it can."""
    if provider is None:
        return "mesh config has no such extensionProvider"
    if provider.kind not in _KINDS:
        return f"it is a {provider.kind or 'nameless'} provider, not an authorizer"
    if not _LABEL.fullmatch(name):
        return "its name is not a lower-case DNS label"
    if sum(p.name == name for p in world.mesh.providers) > 1:
        return "its name occurs twice"
    if not 1 <= provider.port <= 65535:
        return f"port {provider.port} is out of range"
    if provider.path_prefix and not provider.path_prefix.startswith("/"):
        return f"pathPrefix `{provider.path_prefix}` does not start with a slash"
    host = provider.service.rpartition("/")[2]
    if not host:
        return "it names no service"
    known = {s.host for s in world.services} | {h for e in world.inventory.of("ServiceEntry") for h in e.hosts}
    if host not in known and world.complete("Service", "ServiceEntry"):
        return f"the mesh knows no service `{host}`"
    return None
