"""Who puts a sidecar into a pod that is created: a webhook that is called for it, and Istio's injector behind it.

Sources: kubernetes/kubernetes:staging/src/k8s.io/apiserver/pkg/admission/plugin/webhook/generic/webhook.go:ShouldCallHook;
istio/istio:pkg/kube/inject/inject.go:injectRequired, pkg/kube/inject/webhook.go:selectTemplates;
istio/istio:manifests/charts/istio-control/istio-discovery/templates/mutatingwebhook.yaml, revision-tags-mwc.yaml.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from meshcheck.model.core import Namespace, Workload
from meshcheck.model.injection import WEBHOOKS, InjectorSettings, PodWebhook
from meshcheck.model.objects import Meta
from meshcheck.model.record import NamedTuple
from meshcheck.model.revisions import DEFAULT
from meshcheck.semantics.world.world import World

INJECT, REVISION, INJECTION = "sidecar.istio.io/inject", "istio.io/rev", "istio-injection"
TEMPLATES = "inject.istio.io/templates"
_NAME = "sidecar-injector.istio.io"
_WHOLE = ("sidecar", "gateway")
"""Templates that make a proxy of Istio's through which calls go."""
_PROXYLESS = ("grpc-agent", "grpc-simple")


class Injection(NamedTuple):
    """`asked` is None when it cannot be known; `why` says what decides, or which fact is missing; `likely` is what is usual then."""

    asked: bool | None
    why: str
    revision: str | None = None
    likely: bool = True


class Injector(NamedTuple):
    """A webhook of Istio's. `revision` is that of the istiod behind it."""

    meta: Meta
    webhook: PodWebhook
    revision: str


def injection_of(world: World, workload: Workload, namespace: Namespace) -> Injection:
    """Whether a pod that is created gets a sidecar. The namespace's labels are known."""
    usual = by_labels(workload, namespace)
    every = injectors(world)
    known = world.coverage is not None and world.complete(WEBHOOKS)
    if known:
        world.note(WEBHOOKS)
    called = [each for each in every if _is_called(each.webhook, workload, namespace)]
    if called:
        return _called(world, workload, called, usual)
    if world.coverage is not None:
        return Injection(False, _not_called(every, usual)) if known else _unread(world, namespace, usual)
    if not every:  # manifests rarely hold webhooks: the labels mean what they mean where Istio is installed
        return _by_settings(world, workload, usual) if usual.asked else usual
    if not usual.asked or world.closed:
        return Injection(False, _not_called(every, usual))
    fact = f"whether pods of namespace {namespace.name} get a sidecar: {_not_called(every, usual)} in the input"
    return Injection(None, fact, None, False)


def _called(world: World, workload: Workload, called: list[Injector], usual: Injection) -> Injection:
    """What all the webhooks that are called make of a pod: the last one that injects it replaces what those before it did."""
    found = Injection(False, usual.why)
    for each in reversed(called):
        why = usual.why if usual.asked else f"webhook {each.webhook.name} of {each.meta.name} is called for its pods"
        found = _by_settings(world, workload, Injection(True, why, each.revision))
        if found.asked is not False and each.webhook.conditional:
            fact = f"whether pods of {workload} get a sidecar: that depends on the matchConditions of {each.meta.ref}"
            found = Injection(None, fact, each.revision)
        elif found.asked:
            return found
    return found


def injectors(world: World) -> tuple[Injector, ...]:
    """Webhooks of Istio's for pods that are created, in the order in which the API server calls them."""
    world.note(WEBHOOKS, knowing=True)
    return world.index("injectors", lambda: tuple(_injectors(world)))


def revisions_served(world: World) -> tuple[str, ...]:
    """Revisions and tags that a namespace may name in its label istio.io/rev, as far as webhooks were read."""
    wanted = (r for each in injectors(world) for r in each.webhook.namespaces.requirements)
    return tuple(dict.fromkeys(value for r in wanted if r.key == REVISION and r.operator == "In" for value in r.values))


def _injectors(world: World) -> Iterator[Injector]:
    for configuration in sorted(world.inventory.of(WEBHOOKS), key=lambda item: str(item.meta.name)):
        labels = configuration.meta.labels
        for webhook in configuration.webhooks:
            if webhook.on_creation and _is_istio(webhook, labels):
                yield Injector(configuration.meta, webhook, labels.get(REVISION) or _of_service(webhook.service))


def _is_istio(webhook: PodWebhook, labels: Mapping[str, str]) -> bool:
    if webhook.name == _NAME or webhook.name.endswith(f".{_NAME}"):
        return True
    istiod = webhook.service.startswith("istiod") or labels.get("app") == "sidecar-injector"
    return istiod and (webhook.path == "/inject" or webhook.path.startswith("/inject/"))


def _of_service(name: str) -> str:
    """`istiod-1-24` is that of revision 1-24."""
    return name.removeprefix("istiod-") if name.startswith("istiod-") else DEFAULT


def _is_called(webhook: PodWebhook, workload: Workload, namespace: Namespace) -> bool:
    return webhook.namespaces.matches(namespace.labels) and webhook.pods.matches(workload.pod_labels)


def by_labels(workload: Workload, namespace: Namespace) -> Injection:
    """What labels ask for where Istio is installed as its chart does it, with a webhook for each revision that they name."""
    name, labels, own = namespace.name, namespace.labels, workload.pod_labels
    switch = labels.get(INJECTION)
    if switch not in (None, "enabled"):
        meant = "" if switch == "disabled" else ", which is not `enabled`"
        return Injection(False, f"namespace {name} has the label istio-injection={switch}{meant}", None, False)
    if says(workload) == "false":
        return Injection(False, "the pod has sidecar.istio.io/inject=false", None, False)
    if switch is not None:
        return Injection(True, f"namespace {name} has the label istio-injection=enabled", DEFAULT)
    if REVISION in labels:
        return Injection(True, f"namespace {name} has the label istio.io/rev={labels[REVISION]}", labels[REVISION])
    if own.get(INJECT) == "true" or REVISION in own:
        return Injection(True, "the pod's labels ask for a sidecar", own.get(REVISION, DEFAULT))
    return Injection(False, f"nothing asks for a sidecar in namespace {name}", None, False)


def says(workload: Workload) -> str:
    """What the pod itself says: its label, or, where it has none, its annotation."""
    labels = workload.pod_labels
    return labels[INJECT] if INJECT in labels else workload.pod_annotations.get(INJECT, "")


def _by_settings(world: World, workload: Workload, found: Injection) -> Injection:
    """What Istio's injector makes of a pod for which it is called."""
    own = says(workload)
    settings = world.injector(found.revision)
    if own in ("true", "false"):
        if settings.policy not in ("enabled", "disabled") and settings.broken is None:
            return Injection(False, f"the injector is off: its policy is `{settings.policy}`", found.revision)
        if own == "false":
            return Injection(False, "the pod has sidecar.istio.io/inject=false", found.revision)
    elif settings.broken is not None:
        fact = f"{settings.broken}: whether the injector leaves out pods like those of {workload}"
        return Injection(None, fact, found.revision)
    elif (left_out := _left_out(settings, workload)) is not None:
        return Injection(False, left_out, found.revision)
    return _by_templates(settings, workload, found)


def _left_out(settings: InjectorSettings, workload: Workload) -> str | None:
    """Why the injector passes over a pod that says nothing itself."""
    where = f"ConfigMap {settings.meta.namespace}/{settings.meta.name}" if settings.meta else "the injector's settings"
    if settings.policy not in ("enabled", "disabled"):
        return f"the injector is off: {where} has the policy `{settings.policy}`"
    if any(selector.matches(workload.pod_labels) for selector in settings.never):
        return f"{where} never injects pods with such labels (neverInjectSelector)"
    if settings.policy == "enabled" or any(selector.matches(workload.pod_labels) for selector in settings.always):
        return None
    return f"{where} has the policy `disabled`, and the pod does not ask by itself (sidecar.istio.io/inject=true)"


def _by_templates(settings: InjectorSettings, workload: Workload, found: Injection) -> Injection:
    text = workload.pod_annotations.get(TEMPLATES)
    names = [name.strip() for name in text.split(",")] if text is not None else settings.templates
    if any(name in _WHOLE for name in names):
        return found
    if any(name in _PROXYLESS for name in names):
        fact = f"what the application of {workload} makes of calls itself: it is gRPC without a proxy (inject.istio.io/templates={text})"
    else:
        fact = f"what the injection template {', '.join(names) or '``'} puts into pods of {workload}"
    return Injection(None, fact, found.revision)


def _not_called(every: tuple[Injector, ...], usual: Injection) -> str:
    """Why a pod gets no sidecar where the webhooks are known."""
    if not usual.asked:
        return usual.why
    if not every:
        return f"{usual.why}, but there is no webhook of Istio's that would inject its pods"
    there = ", ".join(dict.fromkeys(each.meta.name for each in every))
    return f"{usual.why}, but none of Istio's webhooks is called for its pods ({there})"


def _unread(world: World, namespace: Namespace, usual: Injection) -> Injection:
    """Nobody could read the webhooks of the cluster."""
    assert world.coverage is not None
    gap = next(world.coverage.lacking(WEBHOOKS)).fact()
    name = namespace.name
    fact = f"{gap}: whether pods of namespace {name} that are yet to come get a sidecar hangs on them (or say `--sidecars {name}`)"
    return Injection(None, fact, usual.revision, bool(usual.asked))
