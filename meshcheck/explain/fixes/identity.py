"""Callers that arrive without an identity, or with TLS that nobody expects: injection, excluded ports, DestinationRules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from meshcheck.explain.fixes.case import Candidate, Case, at, change, drop, put, single
from meshcheck.model.core import Workload
from meshcheck.model.objects import Meta, Path
from meshcheck.semantics.ambient.capture import receives_through
from meshcheck.semantics.world.injection import revisions_served
from meshcheck.semantics.world.sidecars import MODE, sidecar_of

_TRAFFIC = "traffic.sidecar.istio.io/"


def candidates(case: Case) -> Iterator[Candidate]:
    """The client's side first: what makes it talk as it does."""
    yield from _destination_rules(case)
    source, server = case.source, case.server or case.target
    if source is not None and server is not None and receives_through(case.world, server):
        yield from _enrolment(case, source)
        return
    if source is not None:
        yield from _excluded(case, source, ("excludeOutboundPorts", "excludeOutboundIPRanges", "includeOutboundIPRanges"))
        yield from _injection(case, source, "the caller")
    if server is not None:
        yield from _excluded(case, server, ("excludeInboundPorts", "includeInboundPorts"))
        yield from _injection(case, server, "the called workload")


def _destination_rules(case: Case) -> Iterator[Candidate]:
    """The TLS mode that a DestinationRule gives the call."""
    for station in case.stations:
        for mention in station.policies:
            meta = mention.meta
            raw = case.raw(meta)
            if meta.ref.kind != "DestinationRule" or raw is None:
                continue
            for field in _tls_fields(raw, mention.field):
                mode = at(raw, (*field, "mode"))
                for wanted in ("ISTIO_MUTUAL", "DISABLE"):
                    if mode != wanted:
                        words = f"write {wanted} instead of {mode} in {_dotted(field)}.mode of {meta.ref}"
                        yield single(words, meta, change(field, {"mode": wanted}), wide=int(wanted == "DISABLE"))
                whole = field[:-1] if len(at(raw, field[:-1]) or ()) == 1 and field[-2:] == ("trafficPolicy", "tls") else field
                yield single(f"take {_dotted(whole)} out of {meta.ref}: automatic mTLS then decides", meta, drop(whole))


def _tls_fields(raw: Mapping[str, Any], field: Path) -> Iterator[Path]:
    """The `tls` blocks that a mention may mean: its own, or those of its ports."""
    if field[-1:] == ("tls",) and at(raw, field) is not None:
        yield field
    if field[-1:] == ("portLevelSettings",):
        for number, item in enumerate(at(raw, field) or ()):
            if isinstance(item, dict) and isinstance(item.get("tls"), dict):
                yield (*field, number, "tls")


def _dotted(path: Path) -> str:
    from meshcheck.model.objects import dotted

    return dotted(path)


def template_of(meta: Meta) -> Path:
    """Where the pod template of a controller stands; a Pod is its own."""
    if meta.ref.kind == "Pod":
        return ()
    return ("spec", "jobTemplate", "spec", "template") if meta.ref.kind == "CronJob" else ("spec", "template")


def _excluded(case: Case, workload: Workload, names: tuple[str, ...]) -> Iterator[Candidate]:
    """Annotations that keep a port or an address away from the sidecar."""
    raw = case.raw(workload.meta)
    for name in names:
        field = (*template_of(workload.meta), "metadata", "annotations", _TRAFFIC + name)
        if raw is not None and at(raw, field) is not None:
            words = f"take the annotation {_TRAFFIC}{name} out of {workload.meta.ref}: the port then goes through the sidecar"
            yield single(words, workload.meta, drop(field), wide=1)


def _enrolment(case: Case, workload: Workload) -> Iterator[Candidate]:
    """Ambient mode for a caller that has no identity: its namespace asks for it, or its pods do."""
    side = sidecar_of(case.world, workload)
    if side.present is not False or side.ambient or workload.host_network:
        return
    words = f"ztunnel then takes the calls of {workload}, and they have its identity (pods that run are captured as they are)"
    field = (*template_of(workload.meta), "metadata", "labels", MODE)
    raw = case.raw(workload.meta)
    if raw is not None and workload.pod_labels.get(MODE) == "none":
        yield single(f"take the label {MODE}=none off the pods of {workload.meta.ref}: {words}", workload.meta, drop(field), wide=1)
    namespace = case.world.namespace(workload.namespace)
    written = case.raw(namespace.meta)
    if namespace.meta is not None and written is not None:
        step = put(written, ("metadata", "labels", MODE), "ambient")
        yield single(f"label {namespace.meta.ref} with {MODE}=ambient: {words}", namespace.meta, step, wide=2)
    if raw is not None:
        yield single(
            f"label the pods of {workload.meta.ref} with {MODE}=ambient: {words}", workload.meta, put(raw, field, "ambient"), wide=1
        )


def _injection(case: Case, workload: Workload, who: str) -> Iterator[Candidate]:
    """A sidecar for pods that have none: their namespace asks for it, or they do themselves."""
    side = sidecar_of(case.world, workload)
    if side.present is not False or side.ambient:
        return
    namespace = case.world.namespace(workload.namespace)
    words = f"gives {who}, {workload}, a sidecar and with it an identity (pods must be made again)"
    raw = case.raw(namespace.meta)
    if namespace.meta is not None and raw is not None:
        steps = [put(raw, ("metadata", "labels", "istio-injection"), "enabled")]
        others = [name for name in namespace.labels if name != "istio-injection" and name.replace("_", "-").startswith("istio-inj")]
        steps += [drop(("metadata", "labels", name)) for name in others]
        wrong = [*others, *(["istio-injection"] if namespace.labels.get("istio-injection") not in (None, "disabled", "enabled") else [])]
        instead = f" instead of {', '.join(f'{name}={namespace.labels[name]}' for name in wrong)}" if wrong else ""
        text = f"label {namespace.meta.ref} with istio-injection=enabled{instead}: {words}"
        yield single(text, namespace.meta, *steps, wide=1 if wrong else 2)
        for revision in revisions_served(case.world):
            text = f"label {namespace.meta.ref} with istio.io/rev={revision}, which a webhook of the cluster serves: {words}"
            steps = [put(raw, ("metadata", "labels", "istio.io/rev"), revision)]
            steps += [drop(("metadata", "labels", name)) for name in namespace.labels if name == "istio-injection"]
            yield single(text, namespace.meta, *steps, wide=1 if "istio.io/rev" in namespace.labels else 2)
    raw = case.raw(workload.meta)
    if raw is not None:
        field = (*template_of(workload.meta), "metadata", "labels", "sidecar.istio.io/inject")
        steps = [put(raw, field, "true")]
        note = (*template_of(workload.meta), "metadata", "annotations", "sidecar.istio.io/inject")
        if at(raw, note) is not None:
            steps.append(drop(note))
        yield Candidate(
            f"label the pods of {workload.meta.ref} with sidecar.istio.io/inject=true: {words}", ((workload.meta, tuple(steps)),), 1
        )
