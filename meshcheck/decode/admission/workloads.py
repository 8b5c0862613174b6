"""Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController, Job and CronJob.

Sources: kubernetes/kubernetes:pkg/apis/apps/validation/validation.go, pkg/apis/batch/validation/validation.go.
"""

from __future__ import annotations

import re
from typing import Any

from meshcheck.decode.admission import formats, metadata, pod_rules, pods
from meshcheck.decode.admission.faults import Check, Faults, at, below
from meshcheck.decode.admission.pod_volumes import mounted
from meshcheck.decode.admission.table import Table
from meshcheck.decode.admission.words import shown
from meshcheck.model.pattern import pattern

TABLE = """
Deployment #has_spec: apiVersion str, kind str, metadata ObjectMeta, spec DeploymentSpec, status any
DeploymentSpec #selecting #always #deadline #mounting: minReadySeconds int32:0.., paused bool, progressDeadlineSeconds int32:0..,
    replicas int32:0.., revisionHistoryLimit int32:0.., selector LabelSelector, strategy Strategy#strategy, template PodTemplateSpec
Strategy: rollingUpdate RollingUpdate#rolling, type =""|Recreate|RollingUpdate
RollingUpdate: maxSurge intstr#share, maxUnavailable intstr#share
ReplicaSet #has_spec: apiVersion str, kind str, metadata ObjectMeta, spec ReplicaSetSpec, status any
ReplicaSetSpec #selecting #always #mounting: minReadySeconds int32:0.., replicas int32:0.., selector LabelSelector, template PodTemplateSpec
StatefulSet #has_spec: apiVersion str, kind str, metadata ObjectMeta, spec StatefulSetSpec, status any
StatefulSetSpec #selecting #always #mounting: minReadySeconds int32:0.., ordinals Ordinals, persistentVolumeClaimRetentionPolicy Retention,
    podManagementPolicy =""|OrderedReady|Parallel, replicas int32:0.., revisionHistoryLimit int32, selector LabelSelector,
    serviceName str~optional_label, template PodTemplateSpec, updateStrategy StatefulStrategy#stateful_strategy, volumeClaimTemplates
    [PersistentVolumeClaim]
Ordinals: start int32:0..
Retention: whenDeleted =""|Retain|Delete, whenScaled =""|Retain|Delete
StatefulStrategy: rollingUpdate StatefulRolling, type =""|OnDelete|RollingUpdate
StatefulRolling: maxUnavailable intstr#share#some_share, partition int32:0..
DaemonSet #has_spec: apiVersion str, kind str, metadata ObjectMeta, spec DaemonSetSpec, status any
DaemonSetSpec #selecting #always #mounting: minReadySeconds int32:0.., revisionHistoryLimit int32:0.., selector LabelSelector,
    template PodTemplateSpec, updateStrategy DaemonStrategy
DaemonStrategy #daemon_rolling: rollingUpdate RollingUpdate, type =""|OnDelete|RollingUpdate
ReplicationController #has_spec: apiVersion str, kind str, metadata ObjectMeta, spec ControllerSpec, status any
ControllerSpec #plain_selecting #always #mounting: minReadySeconds int32:0.., replicas int32:0.., selector {str}#labels,
    template PodTemplateSpec
Job #has_spec #job_name: apiVersion str, kind str, metadata ObjectMeta, spec JobSpec, status any
JobSpec #once #own_selector #indexed #mounting: activeDeadlineSeconds int64:0.., backoffLimit int32:0.., backoffLimitPerIndex int32:0..,
    completionMode =NonIndexed|Indexed, completions int32:0.., managedBy str:..63~managed_by, manualSelector bool,
    maxFailedIndexes int32:0.., parallelism int32:0.., podFailurePolicy FailurePolicy, podReplacementPolicy =TerminatingOrFailed|Failed,
    scheduling any,
    selector LabelSelector, successPolicy SuccessPolicy, suspend bool, template PodTemplateSpec, ttlSecondsAfterFinished int32:0..
FailurePolicy: rules [FailureRule]:..20
FailureRule: action =Ignore|FailJob|Count|FailIndex, onExitCodes ExitCodes, onPodConditions [PodCondition]:..20
ExitCodes: containerName str, operator =In|NotIn, values [int32]:1..255
PodCondition: status str, type str
SuccessPolicy #success: rules [SuccessRule]:..20
SuccessRule: succeededCount int32:1.., succeededIndexes str
CronJob #has_spec #cron_name: apiVersion str, kind str, metadata ObjectMeta, spec CronJobSpec, status any
CronJobSpec #cron: concurrencyPolicy =""|Allow|Forbid|Replace, failedJobsHistoryLimit int32:0.., jobTemplate JobTemplate,
    schedule str, startingDeadlineSeconds int64:0.., successfulJobsHistoryLimit int32:0.., suspend bool, timeZone str~time_zone
JobTemplate: metadata TemplateMeta, spec JobSpec
"""
_MANAGER = rf"{formats.SUBDOMAIN}/[A-Za-z0-9/\-._~%!$&'()*+,;=:]+"
_MACROS = frozenset(["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"])
_CRON = pattern(r"(?:[\w*?/,-]+)(?:\s+[\w*?/,-]+){4}")
_BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
_NAMES = ("", "", "", "jan feb mar apr may jun jul aug sep oct nov dec", "sun mon tue wed thu fri sat")


def _has_spec(value: dict[str, Any]) -> Faults:
    return None if "spec" in value else at("`spec` is required", "spec")


def _labels(spec: dict[str, Any]) -> dict[str, str]:
    return ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}


def _selecting(spec: dict[str, Any]) -> Faults:
    selector = spec.get("selector")
    if selector is None:
        return at("`selector` is required, with labels that the template has", "selector")
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        return at("an empty selector selects every pod; name labels of the template", "selector")
    if not metadata.matches(selector, _labels(spec)):
        return at("the selector does not select the template's labels", "selector")
    return None


def _plain_selecting(spec: dict[str, Any]) -> Faults:
    # The API server takes the template's labels where there is no selector.
    selector, labels = spec.get("selector") or {}, _labels(spec)
    if not selector and not labels:
        return at("`selector` is required, with labels that the template has", "selector")
    return (
        None
        if all(labels.get(key) == value for key, value in selector.items())
        else at("the selector does not select the template's labels", "selector")
    )


def _always(spec: dict[str, Any]) -> Faults:
    pod = (spec.get("template") or {}).get("spec")
    if pod is None:
        return at("`template.spec.containers` are required", "template")
    if (pod.get("restartPolicy") or "Always") != "Always":
        return at("must be `Always` here", "template", "spec", "restartPolicy")
    return (
        at("not here: these pods run until they are deleted", "template", "spec", "activeDeadlineSeconds")
        if "activeDeadlineSeconds" in pod
        else None
    )


def _deadline(spec: dict[str, Any]) -> Faults:
    if spec.get("progressDeadlineSeconds", 600) <= spec.get("minReadySeconds", 0):
        return at("must be more than `minReadySeconds`", "progressDeadlineSeconds")
    return None


def _strategy(value: dict[str, Any]) -> Faults:
    if value.get("type") == "Recreate" and "rollingUpdate" in value:
        return at("not for `type: Recreate`", "rollingUpdate")
    return None


def _stateful_strategy(value: dict[str, Any]) -> Faults:
    if value.get("type") == "OnDelete" and "rollingUpdate" in value:
        return at("not for `type: OnDelete`", "rollingUpdate")
    return None


def _job_name(value: dict[str, Any]) -> Faults:
    """Pods of an indexed Job have its name and an index."""
    name, spec = (value.get("metadata") or {}).get("name") or "", value.get("spec") or {}
    if name and spec.get("completionMode") == "Indexed" and (said := formats.dns_label(f"{name}-{max(spec.get('completions', 1) - 1, 0)}")):
        return at(f"with the index of a pod: {said}", "metadata", "name")
    return None


def _cron_name(value: dict[str, Any]) -> Faults:
    """Jobs have the name of their CronJob and eleven characters more."""
    name = (value.get("metadata") or {}).get("name") or ""
    return at("must have at most 52 characters: the names of Jobs are made of it", "metadata", "name") if len(name) > 52 else None


def _share(value: Any) -> Faults:
    """A count, or a percentage."""
    if isinstance(value, str):
        return None if re.fullmatch(r"\d+%", value) else at(f"`{shown(value)}` is neither a number nor a percentage such as `25%`")
    return at("must not be negative") if value < 0 else None


def _some_share(value: Any) -> Faults:
    if value in (0, "0%") or (isinstance(value, str) and int(value[:-1][:9]) > 100):
        return at("must be more than 0, and at most 100 %")
    return None


def _success(value: dict[str, Any]) -> Faults:
    return None if value.get("rules") else at("at least one rule is required", "rules")


def _rolling(value: dict[str, Any]) -> Faults:
    unavailable = value.get("maxUnavailable", "25%")
    if isinstance(unavailable, str) and int(unavailable[:-1][:9]) > 100:
        return at("must not be more than 100 %", "maxUnavailable")
    if unavailable in (0, "0%") and value.get("maxSurge", "25%") in (0, "0%"):
        return at("`maxSurge` and `maxUnavailable` cannot both be 0", "maxUnavailable")
    return None


def _daemon_rolling(value: dict[str, Any]) -> Faults:
    if "rollingUpdate" not in value or value.get("type") == "OnDelete":
        return None
    return below(_one_of_both(value["rollingUpdate"]), "rollingUpdate") or None


def _one_of_both(value: dict[str, Any]) -> Faults:
    surge, unavailable = value.get("maxSurge", 0), value.get("maxUnavailable", 1)
    if surge not in (0, "0%") and unavailable not in (0, "0%"):
        return at("a DaemonSet takes `maxSurge` or `maxUnavailable`, not both", "maxSurge")
    for field, share in (("maxSurge", surge), ("maxUnavailable", unavailable)):
        if isinstance(share, str) and int(share[:-1][:9]) > 100:
            return at("must not be more than 100 %", field)
    return (
        at("`maxSurge` and `maxUnavailable` cannot both be 0", "maxUnavailable")
        if surge in (0, "0%") and unavailable in (0, "0%")
        else None
    )


def _once(spec: dict[str, Any]) -> Faults:
    pod = (spec.get("template") or {}).get("spec")
    if pod is None:
        return at("`template.spec.containers` are required", "template")
    policy = pod.get("restartPolicy") or "Always"
    return at("a Job needs `restartPolicy: OnFailure` or `Never`", "template", "spec", "restartPolicy") if policy == "Always" else None


def _own_selector(spec: dict[str, Any]) -> Faults:
    """A Job's selector is made by the API server, unless `manualSelector` says otherwise."""
    if spec.get("manualSelector"):
        if "selector" not in spec:
            return at("`manualSelector` needs a selector", "selector")
        return (
            None
            if metadata.matches(spec["selector"], _labels(spec))
            else at("the selector does not select the template's labels", "selector")
        )
    if any((spec.get("selector") or {}).values()):
        return at("the API server makes a Job's selector; leave it out, or set `manualSelector`", "selector")
    return None


def _indexed(spec: dict[str, Any]) -> Faults:
    indexed = spec.get("completionMode") == "Indexed"
    if indexed and "completions" not in spec:
        return at("`completionMode: Indexed` needs `completions`", "completions")
    for field in ("backoffLimitPerIndex", "maxFailedIndexes", "successPolicy"):
        if field in spec and not indexed:
            return at("only with `completionMode: Indexed`", field)
    return (
        at("needs `backoffLimitPerIndex`", "maxFailedIndexes")
        if "maxFailedIndexes" in spec and "backoffLimitPerIndex" not in spec
        else None
    )


def _cron(spec: dict[str, Any]) -> Faults:
    schedule = spec.get("schedule", "")
    if not schedule:
        return at("`schedule` is required", "schedule")
    if "TZ" in schedule:
        return at("name the time zone in `timeZone`", "schedule")
    if not _is_schedule(schedule):
        return at(f"`{shown(schedule)}` is no schedule such as `*/5 * * * *`", "schedule")
    return None if "spec" in (spec.get("jobTemplate") or {}) else at("`jobTemplate.spec` is required", "jobTemplate")


def _is_schedule(text: str) -> bool:
    text = text.strip()
    if text.startswith("@"):
        return text in _MACROS or bool(re.fullmatch(r"@every (\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+", text))
    parts = text.split()
    return bool(_CRON.fullmatch(text)) and all(_is_cron_field(part, bounds, names) for part, bounds, names in zip(parts, _BOUNDS, _NAMES))


def _is_cron_field(text: str, bounds: tuple[int, int], names: str) -> bool:
    for part in text.split(","):
        span, slash, step = part.partition("/")
        if slash and not (step.isdecimal() and int(step[:9]) > 0):
            return False
        ends = span.split("-")
        if ends == ["*"] or ends == ["?"]:
            continue
        numbers = [_cron_number(end, bounds, names) for end in ends]
        if len(ends) > 2 or None in numbers or numbers != sorted(n for n in numbers if n is not None):
            return False
    return True


def _cron_number(text: str, bounds: tuple[int, int], names: str) -> int | None:
    words = names.split()
    number = bounds[0] + words.index(text.lower()) if text.lower() in words else int(text[:9]) if text.isdecimal() else -1
    return number if bounds[0] <= number <= bounds[1] else None


def _time_zone(text: str) -> str | None:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    if not text or text.lower() == "local" or not re.fullmatch(r"[A-Za-z.\-_][A-Za-z0-9.\-_+]*(/[A-Za-z0-9.\-_+]+)*", text):
        return f"`{shown(text)}` is no time zone such as `Europe/Berlin`"
    try:
        ZoneInfo("Europe/London")
    except (ZoneInfoNotFoundError, OSError, ValueError):
        return None  # this system has no time zones: nothing can be said
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, OSError, ValueError):
        return f"`{shown(text)}` is no time zone such as `Europe/Berlin`"
    return None


def _mounting(spec: dict[str, Any]) -> Faults:
    """What the template's containers mount exists; a StatefulSet's pods also have the volumes that the claims make."""
    for number, claim in enumerate(spec.get("volumeClaimTemplates") or ()):
        name = (claim.get("metadata") or {}).get("name", "")
        if said := formats.dns_label(name) if name else "a claim needs a name":
            return at(said, "volumeClaimTemplates", number, "metadata", "name")
    claims = frozenset((claim.get("metadata") or {}).get("name", "") for claim in spec.get("volumeClaimTemplates") or ())
    return below(mounted(spec["template"]["spec"], claims), "template", "spec") or None


_RULES: dict[str, Check] = {
    "has_spec": _has_spec,
    "selecting": _selecting,
    "plain_selecting": _plain_selecting,
    "always": _always,
    "deadline": _deadline,
    "strategy": _strategy,
    "share": _share,
    "rolling": _rolling,
    "some_share": _some_share,
    "success": _success,
    "stateful_strategy": _stateful_strategy,
    "job_name": _job_name,
    "cron_name": _cron_name,
    "daemon_rolling": _daemon_rolling,
    "once": _once,
    "own_selector": _own_selector,
    "indexed": _indexed,
    "cron": _cron,
    "mounting": _mounting,
}
KINDS = Table(
    TABLE + pods.TABLE + metadata.TABLE,
    {**metadata.RULES, **pod_rules.RULES, **_RULES},
    {
        **metadata.FORMATS,
        **pod_rules.FORMATS,
        "time_zone": _time_zone,
        "managed_by": formats.matching(_MANAGER, "a name with a domain"),
    },
    lenient_nulls=True,
)
