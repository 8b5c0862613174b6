"""Workloads in ambient mode: the policies that ztunnel applies to them, and the waypoints on the way to them."""

from __future__ import annotations

from typing import Any

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.proxies import servers
from meshcheck.model.core import Service, Workload
from meshcheck.model.gateway_api import Gateway
from meshcheck.model.istio_security import AuthorizationPolicy
from meshcheck.model.objects import Path
from meshcheck.semantics.ambient.waypoints import Binding, binding, is_waypoint
from meshcheck.semantics.ambient.ztunnel import Translated, is_sent, translate
from meshcheck.semantics.gateway.pods import is_gateway
from meshcheck.semantics.world.sidecars import sidecar_of

_BYPASS = "ambient.istio.io/bypass-inbound-capture"


def captured(evidence: Evidence) -> tuple[Workload, ...]:
    """Workloads of which it is known that ztunnel takes their calls; gateways are left out."""

    def find() -> tuple[Workload, ...]:
        return tuple(
            w
            for w in servers(evidence)
            if sidecar_of(evidence.world, w).ambient and not is_gateway(w) and w.pod_annotations.get(_BYPASS) != "true"
        )

    return evidence.once("captured", find)


def is_captured(evidence: Evidence, workload: Workload) -> bool:
    """Whether ztunnel takes a workload's calls."""
    return id(workload) in evidence.once("captured ids", lambda: {id(w) for w in captured(evidence)})


def at_ztunnel(evidence: Evidence, policy: Any) -> tuple[Workload, ...]:
    """The workloads in ambient mode that a policy without targets means; none for `selector: {}`, which istiod attaches to nothing."""
    return tuple(evidence.once("at ztunnel", lambda: _by_policy(evidence)).get(id(policy), ()))


def sent_to(evidence: Evidence, workload: Workload) -> tuple[AuthorizationPolicy, ...]:
    """The AuthorizationPolicies that the ztunnel of a workload has."""
    return tuple(p for p in evidence.world.authorization_policies(workload) if is_sent(p))


def translated(evidence: Evidence, policy: AuthorizationPolicy) -> tuple[Translated, ...]:
    """The rules of a policy as ztunnel has them."""
    return evidence.once(("translated", id(policy)), lambda: translate(policy))


def waypoint_of(evidence: Evidence, service: Service) -> Binding:
    """The waypoint of a Service."""
    return evidence.once(
        ("waypoint of", service.meta.ref), lambda: binding(evidence.world, service.meta.labels, service.namespace, "service")
    )


def bound_to(evidence: Evidence, service: Service) -> Gateway | None:
    """Istio's waypoint that calls to a Service pass; None where there is none, or where that is not known."""
    found = waypoint_of(evidence, service)
    return found.gateway if found.bound and found.gateway is not None and is_waypoint(evidence.world, found.gateway) else None


def target_path(evidence: Evidence, policy: Any, number: int) -> Path:
    """The place of a policy's target."""
    single = "targetRef" in (evidence.raw(policy.meta).get("spec") or {})
    return ("spec", "targetRef") if single else ("spec", "targetRefs", number)


def label_path(workload: Workload, key: str) -> Path:
    """The place of a label of a workload's pods."""
    template: Path = ("spec", "template")
    if workload.kind == "CronJob":
        template = ("spec", "jobTemplate", "spec", "template")
    return ("metadata", "labels", key) if workload.kind == "Pod" else (*template, "metadata", "labels", key)


def _by_policy(evidence: Evidence) -> dict[int, list[Workload]]:
    world, out = evidence.world, dict[int, list[Workload]]()
    for workload in captured(evidence):
        attached: tuple[Any, ...] = (*world.authorization_policies(workload), *world.request_authentications(workload))
        for policy in attached:
            if policy.attachment.selector != {}:
                out.setdefault(id(policy), []).append(workload)
    return out
