"""`meshcheck can`: may this user do that to the Kubernetes API, and what change would let it?"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from meshcheck.cli.api_requests import caller_of, custom_resources, request_of, request_of_json
from meshcheck.cli.command_parser import CommandParser
from meshcheck.cli.live import settle_namespace
from meshcheck.cli.outputs import add_output_options, outputs_of, refuse_other_than_jsonl, write_outputs
from meshcheck.cli.sources import add_source_options, knows_rbac, read_sources
from meshcheck.decode.rbac import collect_rbac
from meshcheck.errors import UsageError
from meshcheck.model.api_resources import Resources
from meshcheck.model.cluster_kinds import CALL, RBAC
from meshcheck.model.rbac import ApiRequest, account_of
from meshcheck.render.can import Answer, can_markdown, can_text, who_text
from meshcheck.render.can_json import can_json, can_line, who_json
from meshcheck.semantics.kubernetes_rbac.permissions import Permissions

if TYPE_CHECKING:
    from meshcheck.load.read import Reading
    from meshcheck.render.style import Style

_EXAMPLES = """\
examples:
  meshcheck can -f manifests/ --as sa/shop/web list pods -n shop
  meshcheck can -f rbac.yaml --as ann --as-group devs get deployments.apps/scale web -n shop
  meshcheck can -f rbac.yaml --as deploy/shop/frontend GET '/api/v1/namespaces/shop/pods?watch=true'
  meshcheck can -f rbac.yaml --message 'pods is forbidden: User "ann" cannot list resource "pods" in API group "" …'
  meshcheck can -f rbac.yaml --who get secrets -n shop
  kubectl get clusterroles,clusterrolebindings,roles,rolebindings -A -o yaml | meshcheck can -f - --closed-world --as ann get nodes

exit status: 0 allowed, 1 denied, 2 wrong use or unreadable input, 3 unknown (the missing fact is named)
"""
_STATUS = {True: 0, False: 1, None: 3}


def parser() -> argparse.ArgumentParser:
    """The options of `can`."""
    p = CommandParser(
        prog="meshcheck can",
        description="Say whether RBAC lets a user send a request to the Kubernetes API, and why not.",
        epilog=_EXAMPLES,
    )
    p.add_argument("words", nargs="*", metavar="VERB RESOURCE [NAME]", help="or VERB /PATH, or METHOD URL")
    asked = p.add_argument_group("the request")
    asked.add_argument("--as", dest="user", metavar="WHO", help="sa/NAMESPACE/NAME, user/NAME, NAME, or a workload: deploy/NAMESPACE/NAME")
    asked.add_argument("--as-group", dest="groups", metavar="GROUP", action="append", default=[], help="a group of the user; repeatable")
    asked.add_argument("-A", "--all-namespaces", action="store_true", help="in all namespaces at once")
    asked.add_argument("--message", metavar="TEXT", help="ask for the request that a 403 message names")
    asked.add_argument("--who", action="store_true", help="list everybody who may, instead of asking for one user")
    add_source_options(p, asks_for_others=True)
    out = add_output_options(p, ("text", "json", "jsonl", "markdown"), batch=True)
    out.add_argument("--batch", metavar="FILE", help="answer worlds and questions (JSON Lines; `-` for standard input) with `-o jsonl`")
    out.add_argument("--brief", action="store_true", help="only the decision: no near misses, no fixes")
    return p


def run(arguments: list[str]) -> int:
    """Run the command; returns the exit status."""
    return ask(parser().parse_intermixed_args(arguments))


def ask(options: argparse.Namespace) -> int:
    """Answer what the options ask; returns the exit status."""
    if options.batch:
        refuse_other_than_jsonl(options)
        return _batch(options.batch, options.brief)
    if not options.who and not options.user and not options.message:
        raise UsageError("`--as` is missing: say who asks (`--as sa/shop/web`), or ask for everybody (`--who`)")
    outputs = outputs_of(options)
    if options.who and any(output.form == "markdown" for output in outputs):
        raise UsageError("who may is written as text, json or jsonl, not as markdown")
    settle_namespace(options)
    reading = read_sources(options, uses=_uses(options.user))
    permissions = _permissions(reading, options.namespace, knows_rbac(options, reading))
    _warn(reading, permissions)
    resources = Resources(custom_resources(reading.documents), reading.served)
    request, notes = _request(options, reading, resources)
    if options.who:
        return _who(options, reading, permissions, request, notes)
    answer = _answer(permissions, request, notes, resources, options.brief)
    write_outputs(outputs, lambda form, style: _shown(form, style, answer, reading), options.color)
    return _STATUS[answer.decision.allowed]


def _uses(user: str | None) -> tuple[str, ...]:
    """Of a cluster: roles and bindings; workloads where one of them is named as the caller."""
    kind, slash, _ = (user or "").partition("/")
    return (RBAC,) if not slash or kind in ("sa", "serviceaccount", "user") else (RBAC, CALL)


def _request(options: argparse.Namespace, reading: Reading, resources: Resources) -> tuple[ApiRequest, list[str]]:
    if options.message:
        from meshcheck.semantics.kubernetes_rbac.message import refused

        if options.words:
            raise UsageError("`--message` names the request: no words can stand beside it")
        found = refused(options.message)
        if found is None:
            raise UsageError('`--message`: not a refusal by an authorizer, which says `User "…" cannot VERB …`')
        user, groups = caller_of(f"user/{found.user}", options.groups, None, ())
        if options.user:
            user, groups = caller_of(options.user, options.groups, options.namespace, reading.documents)
        fields = (found.verb, found.group, found.resource, found.subresource, found.name, found.namespace, found.path)
        return ApiRequest(user, groups, *fields), []
    user, groups = caller_of(options.user, options.groups, options.namespace, reading.documents) if options.user else ("", ())
    return request_of(options.words, user, groups, options.namespace, options.all_namespaces, resources)


def _permissions(reading: Reading, namespace: str | None, closed: bool) -> Permissions:
    objects = collect_rbac(reading.documents, namespace or "default", closed=closed)
    return Permissions(objects, closed=closed, coverage=reading.coverage)


def _answer(permissions: Permissions, request: ApiRequest, notes: list[str], resources: Resources, brief: bool) -> Answer:
    decision = permissions.decide(request)
    if brief or decision.allowed:
        return Answer(request, decision, (), (), (*notes, *_notes(permissions, request, decision)))
    from meshcheck.explain.rbac_fixes import rbac_fixes
    from meshcheck.semantics.kubernetes_rbac.near_misses import near_misses

    misses = near_misses(permissions, request, resources=resources)
    fixes = rbac_fixes(permissions, request, decision, misses)
    return Answer(request, decision, tuple(misses), tuple(fixes), (*notes, *_notes(permissions, request, decision)))


def _notes(permissions: Permissions, request: ApiRequest, decision: Any) -> list[str]:
    """What the answer takes for granted."""
    if decision.allowed:
        built_in = decision.grant and decision.grant.binding.built_in
        return ["the input does not hold this binding: every API server makes it itself"] if built_in else []
    notes = []
    if decision.allowed is False and not permissions.closed and permissions.coverage is None:
        notes.append("bindings outside of the input could still grant it; `--closed-world` says that there are none")
    if "system:nodes" in request.groups:
        notes.append("nodes are also let through by the Node authorizer, which is not looked at here")
    elif decision.allowed is False:
        notes.append("this is what RBAC says; a webhook or the cloud's own access management may allow more")
    account = account_of(request.user)
    if account and request.path is None and request.verb == "get" and request.subresource in ("exec", "attach", "portforward"):
        notes.append("over a WebSocket the verb `create` is needed as well, since Kubernetes 1.35")
    return notes


def _shown(form: str, style: Style, answer: Answer, reading: Reading) -> str:
    if form in ("json", "jsonl"):
        return json.dumps(can_json(answer, reading.place), ensure_ascii=False, indent=2 if form == "json" else None) + "\n"
    return can_markdown(answer, reading.place) if form == "markdown" else can_text(answer, reading.place, style)


def _who(options: argparse.Namespace, reading: Reading, permissions: Permissions, request: ApiRequest, notes: list[str]) -> int:
    """List everybody who may: status 0 when RBAC lets somebody."""
    from meshcheck.semantics.kubernetes_rbac.who_can import who_can

    found = who_can(permissions, request)
    if facts := permissions.unread(request):
        notes.append(f"more may be let: {'; '.join(facts)}")
    elif not permissions.closed and permissions.coverage is None:
        notes.append("bindings outside of the input could grant it to more; `--closed-world` says that there are none")

    def shown(form: str, style: Style) -> str:
        if form in ("json", "jsonl"):
            values = who_json(request, found, reading.place, notes)
            return json.dumps(values, ensure_ascii=False, indent=2 if form == "json" else None) + "\n"
        return who_text(request, found, reading.place, notes, style)

    write_outputs(outputs_of(options), shown, options.color)
    return 0 if len(found) > 1 else 1


def _write(text: str) -> None:
    """Names may hold what no encoding has: halves of surrogate pairs from JSON, bytes of the command line."""
    sys.stdout.write(text.encode("utf-8", "replace").decode())


def _warn(reading: Reading, permissions: Permissions) -> None:
    """What could not be read or used, on standard error: the answer is without it."""
    for note in reading.not_read:
        if note.fatal:
            print(f"meshcheck: {note.place}: not read: {note.reason}", file=sys.stderr)
    for meta, path, message in permissions.objects.refused:
        place = reading.place(meta.origin, path)
        print(f"meshcheck: {place or meta.ref}: {meta.ref}: the API server refuses it: {message}", file=sys.stderr)


# ---- batches ----


def _batch(path: str, brief: bool) -> int:
    """Answer a batch; returns 0, or 2 when a line could not be used."""
    from meshcheck.cli.batch import rows, run_batch
    from meshcheck.semantics.kubernetes_rbac.near_misses import near_misses

    resources = Resources()

    def answers(line: dict[str, Any], reading: Reading) -> Iterator[dict[str, Any]]:
        permissions = _permissions(reading, None, line.get("closed_world") is True)

        def answer(asked: dict[str, Any]) -> dict[str, Any]:
            request = request_of_json(asked)
            decision = permissions.decide(request)
            misses = () if brief or decision.allowed else near_misses(permissions, request, own_only=True, resources=resources)
            return can_line(Answer(request, decision, tuple(misses)), reading.place)

        return rows(line, answer)

    return run_batch(path, answers, _write)
