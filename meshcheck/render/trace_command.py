"""A question as the words of `meshcheck trace`, to paste into a shell."""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote

from meshcheck.model.question import Caller, Question, Target

_SHORT = {
    "Deployment": "deploy",
    "StatefulSet": "sts",
    "DaemonSet": "ds",
    "Job": "job",
    "CronJob": "cronjob",
    "ReplicaSet": "rs",
    "Pod": "pod",
}


def trace_command(question: Question, sources: Sequence[str] = ()) -> str:
    """`meshcheck trace -f manifests --from shop/web --to http://cart.shop:8080/ -X DELETE`.

    `sources`: the words that say where the World is.
    """
    import json

    words = ["meshcheck", "trace", *sources, "--from", _caller(question.caller), "--to", _target(question)]
    words += ["--plaintext"] if question.caller.plaintext else []
    if question.target.host is None and question.path != "/" and question.is_http:
        words += ["--path", question.path]
    if question.is_http or question.protocol == "https":
        usual = "POST" if question.protocol == "grpc" else "GET"
        words += ["-X", question.method] if question.method != usual else []
        words += ["-H", f"host: {question.host}"] if question.host else []
        words += [word for name, lines in question.headers.items() for line in lines for word in ("-H", f"{name}: {line}")]
    if question.claims is not None:
        words += ["--claims", json.dumps(question.claims)]
    words += ["--jwt", question.jwt] if question.jwt else []
    for option, found in (("--source-ip", question.source_ip), ("--sni", question.sni), ("--origin", question.origin)):
        words += [option, found] if found else []
    if via := question.target.via:
        port = f":{via['port']}" if via.get("port") else ""
        words += ["--via", f"{via.get('namespace')}/{via.get('name')}{port}"]
    return " ".join(map(quote, words))


def _caller(caller: Caller) -> str:
    if caller.external:
        return "external"
    if caller.node:
        return "node"
    if caller.ip and not caller.namespace:
        return caller.ip
    if caller.pod:
        return f"pod/{caller.namespace}/{caller.pod}"
    if caller.workload:
        kind, slash, name = caller.workload.partition("/")
        return f"{_SHORT.get(kind, kind)}/{caller.namespace}/{name}" if slash else f"{caller.namespace}/{caller.workload}"
    return f"sa/{caller.namespace}/{caller.service_account}"


def _target(question: Question) -> str:
    target: Target = question.target
    port = f":{target.port}" if target.port else ""
    if target.host is not None:
        host = f"[{target.host}]" if ":" in target.host else target.host
        return f"{question.protocol}://{host}{port}{question.path if question.protocol in ('http', 'https', 'grpc') else ''}"
    if target.ip and not (target.workload or target.pod):
        return f"{target.ip}{port}"
    if target.service:
        return f"{target.namespace}/{target.service}{port}"
    return f"pod/{target.namespace}/{target.pod or target.workload}{port}"
