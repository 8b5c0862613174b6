"""Callers and targets in the words of the command line: `shop/frontend`, `deploy/NAME`, `sa/NAMESPACE/NAME`, `shop/cart:8080`."""

from __future__ import annotations

from meshcheck.errors import UsageError
from meshcheck.model.question import Caller, Target

_SHORT_KINDS = {
    "deploy": "Deployment", "deployment": "Deployment", "sts": "StatefulSet", "statefulset": "StatefulSet",
    "ds": "DaemonSet", "daemonset": "DaemonSet",
    "job": "Job", "cronjob": "CronJob", "cj": "CronJob", "rs": "ReplicaSet", "replicaset": "ReplicaSet", "rc": "ReplicationController",
}  # fmt: skip


def caller_of(text: str, namespace: str | None) -> Caller:
    """A caller in the words of `--from`. Raises UsageError."""
    from meshcheck.semantics.addresses import parse_address

    if text == "external":
        return Caller(external=True)
    if text == "node":
        return Caller(node=True)
    if parse_address(text) is not None:
        return Caller(ip=text)
    parts = text.split("/")
    if parts[0] == "sa" and len(parts) == 3:
        return Caller(namespace=parts[1], service_account=parts[2])
    if parts[0] in ("pod", "po") and len(parts) in (2, 3):
        return Caller(namespace=parts[1] if len(parts) == 3 else namespace or "default", pod=parts[-1])
    if parts[0].lower() in _SHORT_KINDS and len(parts) in (2, 3):
        where = parts[1] if len(parts) == 3 else namespace or "default"
        return Caller(namespace=where, workload=f"{_SHORT_KINDS[parts[0].lower()]}/{parts[-1]}")
    if len(parts) == 2 and all(parts):
        return Caller(namespace=parts[0], workload=parts[1])
    if len(parts) == 1 and "." in text:
        name, _, where = text.partition(".")
        return Caller(namespace=where, workload=name)
    if len(parts) == 1 and text:
        return Caller(namespace=namespace or "default", workload=text)
    raise UsageError(
        f"`{text}` names no caller: write NAMESPACE/WORKLOAD, deploy/NAME, pod/NAME, sa/NAMESPACE/NAME, an IP address, or `external`"
    )


def target_of(text: str, namespace: str | None) -> Target:
    """A target in the words of `--to`; an empty one for a URL, which has more to say. Raises UsageError."""
    from meshcheck.semantics.addresses import parse_address

    if "://" in text:
        return Target()
    name, colon, port = text.rpartition(":")
    if not colon:
        name, port = text, ""
    if port and not (port.isdigit() and 0 < int(port) < 65536):
        raise UsageError(f"`{text}`: `{port}` is not a port (1 to 65535)")
    number = int(port) if port else None
    if parse_address(name.strip("[]")) is not None:
        if number is None:
            raise UsageError(f"`{text}` names no port: write {text}:PORT")
        return Target(ip=name.strip("[]"), port=number)
    where, slash, service = name.rpartition("/")
    if where.startswith("pod/") or where == "pod":
        return Target(namespace=where.partition("/")[2] or namespace or "default", pod=service, port=number)
    if "/" in where:
        raise UsageError(f"`{text}` names no target: write a URL, NAMESPACE/SERVICE:PORT, or IP:PORT")
    return Target(namespace=where if slash else namespace or "default", service=service, port=number)
