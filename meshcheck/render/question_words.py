"""A question in one line."""

from __future__ import annotations

from meshcheck.model.question import Caller, Question, Target


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
