"""Kubernetes' own kinds. Values were admitted before, so types can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshcheck.decode.metadata import texts
from meshcheck.model.core import ContainerPort, Endpoints, Namespace, Node, Sealed, Secret, Service, ServiceAccount, ServicePort, Workload
from meshcheck.model.objects import Meta, ObjectRef

_EMPTY: Mapping[str, Any] = {}


def decode_namespace(value: Mapping[str, Any], meta: Meta) -> Namespace:
    """A Namespace, with the label that the API server adds."""
    return Namespace(meta.name, {**meta.labels, "kubernetes.io/metadata.name": meta.name}, meta)


def decode_node(value: Mapping[str, Any], meta: Meta) -> Node:
    """A Node."""
    addresses = (value.get("status") or _EMPTY).get("addresses") or ()
    return Node(meta, tuple(a["address"] for a in addresses if a.get("type") in ("InternalIP", "ExternalIP")))


_PEM_KEYS = ("tls.crt", "tls.key", "ca.crt", "cert", "key", "cacert")


def decode_secret(value: Mapping[str, Any], meta: Meta) -> Secret:
    """A Secret; certificates and keys are looked at here and forgotten."""
    data, written = value.get("data") or {}, value.get("stringData") or {}
    plain = {name: _decoded(text) for name, text in data.items()} | {name: str(text) for name, text in written.items()}
    malformed = tuple(name for name in _PEM_KEYS if name in plain and "-----BEGIN " not in plain[name])
    return Secret(meta, tuple(plain), malformed, {name: Sealed(text) for name, text in plain.items() if name not in _PEM_KEYS})


def _decoded(text: Any) -> str:
    from base64 import b64decode

    try:
        return b64decode(text or "", validate=False).decode("utf-8", "replace")
    except (ValueError, TypeError):
        return ""


def decode_service_account(value: Mapping[str, Any], meta: Meta) -> ServiceAccount:
    """A ServiceAccount."""
    return ServiceAccount(meta)


def decode_pod(value: Mapping[str, Any], meta: Meta) -> Workload:
    """A Pod: its own template."""
    status = value.get("status") or _EMPTY
    addresses = [item.get("ip") for item in status.get("podIPs") or ()] or [status.get("podIP")]
    owners = (value.get("metadata") or _EMPTY).get("ownerReferences") or ()
    owner = next((o for o in owners if o.get("controller")), owners[0] if owners else None)
    ref = ObjectRef(owner.get("apiVersion") or "", owner.get("kind") or "", meta.namespace, owner["name"]) if owner else None
    phase = status.get("phase") or ""
    found = tuple(a for a in addresses if a)
    ready = next((c.get("status") for c in status.get("conditions") or () if c.get("type") == "Ready"), None)
    runs = "uid" in (value.get("metadata") or _EMPTY) and bool(found or phase == "Running")
    return _workload(meta, meta.labels, meta.annotations, value.get("spec") or _EMPTY, found, ref, phase, runs, ready != "False")


def decode_controller(value: Mapping[str, Any], meta: Meta) -> Workload:
    """A Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController, Job or CronJob: its pod template."""
    spec = value.get("spec") or _EMPTY
    if meta.ref.kind == "CronJob":
        spec = (spec.get("jobTemplate") or _EMPTY).get("spec") or _EMPTY
    template = spec.get("template") or _EMPTY
    pod = template.get("metadata") or _EMPTY
    labels = texts(pod.get("labels"))
    acted = bool((value.get("status") or _EMPTY).get("observedGeneration"))
    owners = (value.get("metadata") or _EMPTY).get("ownerReferences") or ()
    ref = ObjectRef(owners[0].get("apiVersion") or "", owners[0].get("kind") or "", meta.namespace, owners[0]["name"]) if owners else None
    return _workload(meta, labels, texts(pod.get("annotations")), template.get("spec") or _EMPTY, (), ref, "", acted)


def _workload(
    meta: Meta,
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    spec: Mapping[str, Any],
    addresses: tuple[str, ...],
    owner: ObjectRef | None,
    phase: str,
    runs: bool = False,
    ready: bool = True,
) -> Workload:
    containers = spec.get("containers") or ()
    native_sidecars = [c for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always"]
    ports = [
        ContainerPort(_text(port.get("name")), int(port["containerPort"]), _text(port.get("protocol")) or "TCP")
        for container in (*containers, *native_sidecars)
        for port in container.get("ports") or ()
    ]
    names = tuple(_text(c.get("name")) for c in (*containers, *native_sidecars))
    return Workload(
        meta=meta,
        kind=meta.ref.kind,
        pod_labels=labels,
        pod_annotations=annotations,
        service_account=_text(spec.get("serviceAccountName")) or _text(spec.get("serviceAccount")) or "default",
        ports=tuple(ports),
        host_network=bool(spec.get("hostNetwork")),
        addresses=addresses,
        node=_text(spec.get("nodeName")),
        owner=owner,
        containers=names,
        phase=phase,
        dns_policy=_text(spec.get("dnsPolicy")) or "ClusterFirst",
        pod=spec,
        runs=runs,
        ready=ready,
    )


def decode_service(value: Mapping[str, Any], meta: Meta) -> Service:
    """A Service."""
    spec = value.get("spec") or _EMPTY
    cluster_ip = spec.get("clusterIP") or ""
    addresses = tuple(a for a in (spec.get("clusterIPs") or [cluster_ip]) if a and a != "None")
    ports = tuple(
        ServicePort(
            _text(p.get("name")),
            int(p["port"]),
            p["targetPort"] if isinstance(p.get("targetPort"), (int, str)) and p["targetPort"] else int(p["port"]),
            _text(p.get("protocol")) or "TCP",
            p["appProtocol"] if isinstance(p.get("appProtocol"), str) else None,
        )
        for p in spec.get("ports") or ()
    )
    kind = spec.get("type") or "ClusterIP"
    return Service(
        meta=meta,
        kind=kind,
        selector=texts(spec.get("selector")) or None,
        ports=ports,
        cluster_ips=addresses,
        headless=cluster_ip == "None" or (spec.get("clusterIPs") or [""])[0] == "None",
        external_name=spec.get("externalName") if kind == "ExternalName" else None,
        keeps_client_address=spec.get("externalTrafficPolicy") == "Local",
        source_ranges=_source_ranges(spec, meta) if kind == "LoadBalancer" else (),
        external_addresses=_external_addresses(spec, value.get("status") or _EMPTY),
        not_ready_too=spec.get("publishNotReadyAddresses") is True,
    )


def _text(value: Any) -> str:
    """A text; of another type it is what the cluster refuses, and no reason to leave out the rest of the object."""
    return value if isinstance(value, str) else ""


def _source_ranges(spec: Mapping[str, Any], meta: Meta) -> tuple[str, ...]:
    """Source: kubernetes/kubernetes:staging/src/k8s.io/cloud-provider/service/helpers/helper.go:GetLoadBalancerSourceRanges."""
    notes = meta.annotations.get("service.beta.kubernetes.io/load-balancer-source-ranges", "")
    return tuple(spec.get("loadBalancerSourceRanges") or ()) or tuple(part.strip() for part in notes.split(",") if part.strip())


def _external_addresses(spec: Mapping[str, Any], status: Mapping[str, Any]) -> tuple[str, ...]:
    ingress = (status.get("loadBalancer") or _EMPTY).get("ingress") or ()
    found = [address for item in ingress for address in (item.get("ip"), item.get("hostname"))]
    return tuple(dict.fromkeys(a for a in (*found, spec.get("loadBalancerIP"), *(spec.get("externalIPs") or ())) if a))


def decode_endpoints(value: Mapping[str, Any], meta: Meta) -> Endpoints:
    """Endpoints and EndpointSlice."""
    if meta.ref.kind == "EndpointSlice":
        addresses = [
            a
            for e in value.get("endpoints") or ()
            if (e.get("conditions") or _EMPTY).get("ready") is not False
            for a in e.get("addresses") or ()
        ]
        ports = value.get("ports") or ()
        service = meta.labels.get("kubernetes.io/service-name", "")
    else:
        subsets = value.get("subsets") or ()
        addresses = [a["ip"] for s in subsets for a in s.get("addresses") or ()]
        ports = [p for s in subsets for p in s.get("ports") or ()]
        service = meta.name
    return Endpoints(
        meta,
        service,
        tuple(addresses),
        tuple(
            ServicePort(p.get("name") or "", p["port"], p["port"], p.get("protocol") or "TCP", p.get("appProtocol"))
            for p in ports
            if p.get("port")
        ),
    )
