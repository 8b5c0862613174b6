"""A question in one line: in words, and as the command that asks it."""

from __future__ import annotations

import json
import shlex

from meshcheck.model.question import Caller, Question, Target
from meshcheck.model.record import replace


def call_words(question: Question) -> str:
    """`shop/frontend → DELETE http://cart.shop:8080/api/items`. Headers, tokens and claims are not part of it."""
    method = f"{question.method} " if question.is_http or question.protocol == "https" else ""
    return f"{_caller(question.caller)} → {method}{_target(question)}"


def _caller(caller: Caller) -> str:
    if caller.external:
        return "external"
    if caller.node:
        return "node"
    if caller.ip and not caller.workload:
        return caller.ip
    if caller.service_account:
        return f"sa/{caller.namespace}/{caller.service_account}"
    return f"{caller.namespace}/{f'pod/{caller.pod}' if caller.pod else caller.workload}"


def _target(question: Question) -> str:
    target, path = question.target, question.path if question.is_http or question.protocol == "https" else ""
    port = f":{target.port}" if target.port else ""
    if target.host:
        where = f"{question.protocol}://{target.host}{port}{path}"
    else:
        where = f"{_named(target)}{port}{path if path != '/' else ''}"
    via = target.via
    return f"{where} via {via.get('namespace')}/{via.get('name')}" if via else where


def _named(target: Target) -> str:
    if target.ip and not target.workload and not target.pod:
        return target.ip
    name = f"pod/{target.pod}" if target.pod else target.workload or target.service
    return f"{target.namespace}/{name}"


def trace_command(question: Question) -> str:
    """The options of `meshcheck trace` that ask the question again, quoted for a shell; the sources are left to the reader."""
    words = ["--from", _caller_option(question.caller), "--to", _target_option(question)]
    if question.method != ("POST" if question.protocol == "grpc" else "GET"):
        words += ["-X", question.method]
    for name, values in question.headers.items():
        for value in values:
            words += ["-H", f"{name}: {value}"]
    if question.host:
        words += ["-H", f"Host: {question.host}"]
    if question.claims is not None:
        words += ["--claims", json.dumps(question.claims, separators=(",", ":"))]
    if question.jwt:
        words += ["--jwt", question.jwt]
    for option, text in (("--source-ip", question.source_ip), ("--origin", question.origin), ("--sni", question.sni)):
        if text:
            words += [option, text]
    if via := question.target.via:
        port = f":{via['port']}" if via.get("port") else ""
        words += ["--via", f"{via.get('namespace')}/{via.get('name')}{port}"]
    return f"meshcheck trace {shlex.join(words)}"


def _caller_option(caller: Caller) -> str:
    """A caller as `--from` takes it: `deploy/shop/frontend`, where the kind is part of the question."""
    kind, slash, name = (caller.workload or "").partition("/")
    if not slash or caller.service_account:
        return _caller(caller)
    return f"{_SHORT[kind]}/{caller.namespace}/{name}" if kind in _SHORT else f"{caller.namespace}/{name}"


_SHORT = {
    "Deployment": "deploy",
    "StatefulSet": "sts",
    "DaemonSet": "ds",
    "Job": "job",
    "CronJob": "cronjob",
    "ReplicaSet": "rs",
    "Pod": "pod",
}


def _target_option(question: Question) -> str:
    target = question.target
    if not target.host and target.service:
        return f"{target.namespace}/{target.service}:{target.port}"
    return _target(replace(question, target=replace(target, via=None)))
