"""`meshcheck trace`, alias `why`: why is a call refused, and what would let it through?"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from meshcheck.cli.beside import Section, add_beside_options, sections
from meshcheck.cli.callers import caller_of, target_of
from meshcheck.cli.command_parser import CommandParser
from meshcheck.cli.fix_options import add_fix_options
from meshcheck.cli.live import settle_namespace
from meshcheck.cli.outputs import Output, add_output_options, outputs_of, printed_form, refuse_other_than_jsonl, write_outputs
from meshcheck.cli.questions import default_method, headers_of
from meshcheck.cli.sources import add_source_options, read_sources, redaction_note
from meshcheck.decode.urls import split_url
from meshcheck.errors import UsageError
from meshcheck.model.cluster_kinds import CALL, RBAC
from meshcheck.model.pattern import pattern
from meshcheck.model.question import Question, Target
from meshcheck.model.record import NamedTuple, replace

if TYPE_CHECKING:
    from meshcheck.load.read import Reading
    from meshcheck.model.trace import Cause, Fix, Trace
    from meshcheck.render.style import Style
    from meshcheck.semantics.tracing.call import Arrived
    from meshcheck.semantics.world import World

_EXAMPLES = """\
examples:
  meshcheck trace -f manifests/ --from shop/frontend --to http://cart.shop:8080/api/items -X DELETE
  meshcheck why -f manifests/ --from deploy/frontend -n shop --to shop/cart:8080 -H 'x-team: a'
  meshcheck trace -f manifests/ --from external --to https://shop.example.com/ --jwt "$TOKEN"
  kustomize build overlays/prod | meshcheck trace -f - --from shop/frontend --to tcp://db.shop:5432
  meshcheck trace -f manifests/ --from shop/frontend --to http://cart.shop/ --diff          what would let it through
  meshcheck trace -f manifests/ --from shop/frontend --to http://cart.shop/ --fix           write it into the files

exit status: 0 allowed, 1 denied, 2 wrong use or unreadable input, 3 unknown (the missing fact is named)
"""
_METHOD = pattern(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A token (RFC 9110, section 9.1)."""
_ORIGIN = pattern(r"[A-Za-z][A-Za-z0-9+.-]*://[^/\s]+")
STATUS = {"allowed": 0, "denied": 1, "unknown": 3}


def parser() -> argparse.ArgumentParser:
    """The options of `trace`."""
    p = CommandParser(
        prog="meshcheck trace",
        usage="%(prog)s --from CALLER --to TARGET [options]",
        description="Trace one call through everything that can refuse it.",
        epilog=_EXAMPLES,
    )
    call = p.add_argument_group("the call")
    call.add_argument(
        "--from",
        dest="caller",
        metavar="CALLER",
        help="NAMESPACE/WORKLOAD, WORKLOAD.NAMESPACE, deploy/NAME, pod/NAME, sa/NAMESPACE/NAME, an IP address, or `external`",
    )
    call.add_argument(
        "--to", dest="target", metavar="TARGET", help="a URL (http, https, grpc, tls, tcp, udp), NAMESPACE/SERVICE:PORT, or IP:PORT"
    )
    call.add_argument("-X", "--method", metavar="METHOD", help="HTTP method (GET; POST for gRPC)")
    call.add_argument("-H", "--header", action="append", default=[], metavar="'K: V'", help="a header; repeatable")
    token = call.add_mutually_exclusive_group()
    token.add_argument("--jwt", metavar="TOKEN", help="a token, checked against inline JWKS")
    token.add_argument("--claims", metavar="JSON", help="claims that count as verified")
    call.add_argument("--path", metavar="PATH", help="path and query, where the target is no URL")
    call.add_argument("--plaintext", action="store_true", help="the call arrives without an identity of the mesh, whatever the caller is")
    call.add_argument("--source-ip", metavar="IP", help="the address that the connection comes from")
    call.add_argument("--origin", metavar="URL", help="ask as a browser on this origin would")
    call.add_argument("--via", metavar="NAMESPACE/NAME[:PORT]", help="the gateway through which a call from outside enters")
    call.add_argument("--sni", metavar="NAME", help="TLS server name")
    add_source_options(p)
    add_beside_options(p)
    add_fix_options(p)
    out = add_output_options(p, ("text", "json", "jsonl", "markdown"), batch=True)
    out.add_argument(
        "--batch", metavar="FILE", help="answer a file of worlds and questions (JSON Lines; `-` for standard input) with `-o jsonl`"
    )
    out.add_argument("--brief", action="store_true", help="only the answer: no hops, causes and fixes")
    return p


def run(words: list[str]) -> int:
    """Run the command; returns the exit status."""
    options = parser().parse_args(words)
    if options.batch:
        refuse_other_than_jsonl(options)
        return _batch(options)
    outputs = outputs_of(options)
    if not options.caller or not options.target:
        missing = "--from" if not options.caller else "--to"
        raise UsageError(f"`{missing}` is missing: say who calls (`--from shop/frontend`) and what (`--to http://cart.shop:8080/`)")
    settle_namespace(options)
    question = _question(options)
    from meshcheck.cli.world import warn, world_of

    uses = (CALL, RBAC) if options.who_can_change else (CALL,)
    reading = read_sources(options, uses=uses, near=_near(question))
    world = world_of(options, reading)
    warn(reading, world)
    from meshcheck.semantics.tracing.trace import trace

    _check_names(world, question, redaction_note(reading))
    arrivals: list[Arrived] | None = [] if options.proxy_config else None
    found = _with_likely_name(world, trace(world, question, explain=True, arrivals=arrivals), redaction_note(reading))
    beside = sections(options, world, reading, found, arrivals)
    answer = _Answer(found, *_explained(world, found, reading), beside)
    if options.fix is not None or options.diff:
        return _fix(options, outputs, reading, answer)
    write_outputs(outputs, lambda form, style: _render(options, reading, answer, form, style), options.color)
    return STATUS[found.verdict]


class _Answer(NamedTuple):
    """What is said about a call."""

    found: Trace
    causes: Sequence[Cause]
    fixes: Sequence[Fix]
    beside: tuple[Section, ...]
    done: dict[str, Any] | None = None
    """What `--fix` has done."""


def _explained(world: World, found: Trace, reading: Reading) -> tuple[Sequence[Cause], Sequence[Fix]]:
    """Causes and fixes of a refusal."""
    if found.verdict != "denied":
        return (), ()
    from meshcheck.explain.causes import causes_of
    from meshcheck.explain.fixes import fixes_of

    return causes_of(world, found), fixes_of(world, found, reading.value_of)


def _fix(options: argparse.Namespace, outputs: tuple[Output, ...], reading: Reading, answer: _Answer) -> int:
    """`--fix` and `--diff`; the exit status is 0 when a fix was written."""
    from meshcheck.cli.fixing import apply, chosen

    fix = chosen(options, answer.fixes)
    text = printed_form(outputs) == "text"

    def write(which: Sequence[Output], answer: _Answer) -> None:
        write_outputs(which, lambda form, style: _render(options, reading, answer, form, style), options.color)

    if text and not options.diff:
        write([output for output in outputs if output.file is None], answer)
    done = apply(options, fix, reading, text) if fix is not None else None
    write([output for output in outputs if output.file is not None or not text], answer._replace(done=done))
    if text and fix is None and answer.found.verdict == "denied":
        print("meshcheck: no fix is known for this refusal", file=sys.stderr)
    return 0 if done and done["written"] else STATUS[answer.found.verdict]


def _near(question: Question) -> tuple[str, ...]:
    """The namespaces that a question names."""
    host = (question.target.host or "").split(".")
    named = (question.caller.namespace, question.target.namespace, (question.target.via or {}).get("namespace"), *host[1:2])
    return tuple(dict.fromkeys(name for name in named if name))


def _batch(options: argparse.Namespace) -> int:
    from meshcheck.cli.batch import rows, run_batch
    from meshcheck.cli.questions import question_of
    from meshcheck.cli.world import world_of_line
    from meshcheck.explain.causes import causes_of
    from meshcheck.explain.fixes import fixes_of
    from meshcheck.render.trace_json import trace_json
    from meshcheck.semantics.tracing.trace import trace

    brief = options.brief

    def answers(line: dict[str, Any], reading: Reading) -> Iterator[dict[str, Any]]:
        world = world_of_line(line, reading)

        def answer(asked: dict[str, Any]) -> dict[str, Any]:
            found = trace(world, question_of(asked), explain=not brief)
            if brief:
                return {"trace": trace_json(found, reading.place, brief=True)}
            return {
                "trace": trace_json(found, reading.place, causes_of(world, found), fixes_of(world, found, reading.value_of, opens=False))
            }

        return rows(line, answer)

    return run_batch(options.batch, answers, sys.stdout.write)


def _render(options: argparse.Namespace, reading: Reading, answer: _Answer, form: str, style: Style) -> str:
    found, causes, fixes, beside, done = answer
    if form in ("json", "jsonl"):
        import json

        from meshcheck.render.trace_json import trace_json

        out = trace_json(found, reading.place, causes, fixes, brief=options.brief)
        out |= {section.name: section.value for section in beside} | ({"fixed": done} if done is not None else {})
        return json.dumps(out, ensure_ascii=False, indent=2 if form == "json" else None) + "\n"
    from meshcheck.render import trace_text
    from meshcheck.render.style import Style

    shown = Style(False) if form == "markdown" else style

    def patch_of(fix: Fix) -> list[str]:
        from meshcheck.cli.fixing import patch_lines

        return patch_lines(options, fix, reading, shown)

    if form == "markdown":
        below = "".join(section.markdown() for section in beside)
        return trace_text.trace_markdown(found, reading.place, causes, fixes, patch_of) + below
    if options.brief:
        return trace_text.headline(found, style) + "\n"
    texts = [section.text(style) for section in beside]
    own = trace_text.trace_text(found, reading.place, causes, fixes, style, patch_of)
    return "".join(above for above, _ in texts) + own + "".join(below for _, below in texts)


def _check_names(world: World, question: Question, note: str) -> None:
    """A caller or target that is not in the input is wrong use: say what is there."""
    from meshcheck.semantics.world.names import nearest_workload

    for name, side in (("--from", question.caller), ("--to", question.target)):
        wanted = side.pod or side.workload
        if not wanted or not side.namespace or world.find_workload(side.namespace, wanted) or world.find_pod(side.namespace, wanted):
            continue
        if world.coverage is not None and not world.complete("Workload", namespace=side.namespace):
            continue  # it may be there: the answer says what could not be read
        near = nearest_workload(world, side.namespace, wanted)
        known = "" if world.workloads else "; the input holds no workloads at all"
        raise UsageError(
            f"`{name} {side.namespace}/{wanted}`: no such workload in the input{f'; did you mean `{near}`?' if near else known}{note}"
        )


def _with_likely_name(world: World, found: Trace, note: str) -> Trace:
    """A target that nobody knows may be a slip: the missing fact says which Service has a name like it."""
    from meshcheck.semantics.world.names import nearest_service

    target = found.question.target
    host = target.host or (f"{target.service}.{target.namespace}" if target.service else "")
    if (
        found.verdict != "unknown"
        or (found.reached is not None and found.reached.workload)
        or target.via
        or found.question.caller.external
        or not found.missing
    ):
        return found
    near = nearest_service(world, host, found.question.caller.namespace)
    if near is None and not note:
        return found
    meant = f"; did you mean `{near}`?" if near else ""
    first, *others = found.missing
    return replace(found, missing=(replace(first, fact=f"{first.fact}{meant}{note}"), *others))


# ---- the words of the command line ----


def _check_call(options: argparse.Namespace) -> None:
    """What no call can have is wrong use. Raises UsageError."""
    from meshcheck.semantics.addresses import parse_address

    if options.source_ip is not None and parse_address(options.source_ip) is None:
        raise UsageError(f"`--source-ip {options.source_ip}` is no IP address: write one, such as 203.0.113.9")
    if options.origin is not None and options.origin != "null" and not _ORIGIN.match(options.origin):
        raise UsageError(f"`--origin {options.origin}` is no origin: write it as a browser does, such as https://app.example.com")
    if options.method is not None and not _METHOD.fullmatch(options.method):
        raise UsageError(f"`-X {options.method}` is no HTTP method: write a word such as GET or DELETE")


def _question(options: argparse.Namespace) -> Question:
    """The question of the command line. A bare target is a name in the caller's namespace, unless `-n` names another."""
    written: str | None = getattr(options, "narrowed_to", options.namespace)
    caller = replace(caller_of(options.caller, options.namespace), plaintext=options.plaintext)
    _check_call(options)
    protocol, path, target = "http", "/", target_of(options.target, written or caller.namespace or options.namespace)
    if "://" in options.target:
        protocol, host, port, path = split_url(options.target)
        target = Target(host=host, port=port)
    if options.path:
        path = options.path if options.path.startswith("/") else f"/{options.path}"
    headers: dict[str, Any] = {}
    for line in options.header:
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise UsageError(f"`-H '{line}'` is no header: write `-H 'name: value'`")
        headers.setdefault(name.strip().lower(), []).append(value.strip())
    claims = None
    if options.claims is not None:
        import json

        try:
            claims = json.loads(options.claims)
        except ValueError as error:
            raise UsageError(f"`--claims` is not JSON: {error}") from None
        if not isinstance(claims, dict):
            raise UsageError("`--claims` must be a JSON object")
    host_header = headers.pop("host", None)
    via = None
    if options.via:
        name, _, via_port = options.via.partition(":")
        namespace, slash, via_name = name.partition("/")
        if not slash:
            raise UsageError(f"`--via {options.via}`: write NAMESPACE/NAME or NAMESPACE/NAME:PORT")
        via = {"namespace": namespace, "name": via_name, "port": int(via_port) if via_port.isdigit() else None}
    if via:
        target = Target(target.host, target.namespace, target.workload, target.pod, target.service, target.ip, target.port, via)
    return Question(
        caller=caller,
        target=target,
        protocol=protocol,
        method=options.method or default_method(protocol),
        path=path,
        host=host_header[0] if host_header else None,
        headers=headers_of(headers),
        claims=claims,
        jwt=options.jwt,
        source_ip=options.source_ip,
        origin=options.origin,
        sni=options.sni,
    )
