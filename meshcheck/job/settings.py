"""What the job is to do, as its configuration file says (`meshcheck/job/v1`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from meshcheck.decode.fields import Fields, Wrong
from meshcheck.errors import MeshcheckError, UsageError
from meshcheck.model.cluster_kinds import CALL, RBAC
from meshcheck.model.finding import SEVERITIES
from meshcheck.model.question import Question
from meshcheck.model.rbac import ApiRequest
from meshcheck.model.record import record, value
from meshcheck.render.can import request_words, user_words
from meshcheck.render.question_words import call_words

FailOn = Literal["error", "warning", "info", "never"]
ReportLog = Literal["summary", "markdown", "json", "none"]
EXPECTED = ("allowed", "denied", "unknown")
ReadQuestion = Callable[[Mapping[str, Any]], Question | ApiRequest]
"""Makes a question of its fields, as the contract's batches have them, or of the words of `can`; raises UsageError."""


@value
class Asked:
    """A question, and the answer that is wanted: a verdict, or the status that the caller gets."""

    id: str
    call: str
    question: Question
    expect: str | int


@value
class AskedApi:
    """A request to the API server, and what RBAC should say to it. `only`: who alone may send it, as patterns; None asks for one user."""

    id: str
    call: str
    request: ApiRequest
    expect: str
    only: tuple[str, ...] | None = None


@value
class LintCheck:
    """Rules of lint; `select` and `ignore` are codes, or the beginnings of codes."""

    name: str
    fail_on: FailOn = "error"
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    allow_unknown: bool = False
    """Whether it passes although not everything could be read that might make it fail."""


@record
class QuestionCheck:
    """Calls that must get the wanted answer."""

    name: str
    asked: tuple[Asked | AskedApi, ...]


@value
class AssertionCheck:
    """Assertions of files (`*.meshcheck.yaml`) and folders."""

    name: str
    paths: tuple[str, ...]


_QUESTION = ("from", "to", "method", "path", "headers", "claims", "jwt", "source_ip", "origin", "protocol", "host", "sni", "layer")
_API_QUESTION = ("can", "whoCan", "as", "asGroups", "namespace", "allNamespaces")
Check = LintCheck | QuestionCheck | AssertionCheck


@value
class Settings:
    """Everything the job needs to know. Durations are in seconds; an empty text means: do not."""

    checks: tuple[Check, ...] = (LintCheck("lint"),)
    namespaces: tuple[str, ...] = ()
    config_map: tuple[str, str] | None = None
    """(namespace, name); the namespace is empty for the job's own."""
    directory: str = ""
    log: ReportLog = "markdown"
    textfile: str = ""
    push: str = ""
    push_job: str = "meshcheck"
    serve: str = ""
    events: bool = False
    time_limit: float = 300
    debounce: float = 2
    at_least_every: float = 600

    @property
    def uses(self) -> tuple[str, ...]:
        """What the checks read a cluster for: roles and bindings only where somebody asks about them."""
        asked = (one for check in self.checks if isinstance(check, QuestionCheck) for one in check.asked)
        return (CALL, RBAC) if any(isinstance(one, AskedApi) for one in asked) else (CALL,)


def decode_settings(content: Any, read_question: ReadQuestion, questions_of: Callable[[str], Any]) -> tuple[Settings, tuple[Wrong, ...]]:
    """The settings of a file's content, and all that is wrong with it. `questions_of` reads a file of questions; raises UnreadableError."""
    wrong: list[Wrong] = []
    top = Fields(content, (), wrong)
    top.choice("schema", ("meshcheck/job/v1",), "meshcheck/job/v1")
    checks = tuple(check for fields in top.mappings("checks") if (check := _check(fields, read_question, questions_of)))
    if names := _twice([check.name for check in checks]):
        top.complain(f"has two checks named `{names[0]}`; a name must say which one is meant", "checks")
    report, metrics, watch = top.mapping("report"), top.mapping("metrics"), top.mapping("watch")
    settings = Settings(
        checks=checks if top.has("checks") else Settings().checks,
        namespaces=top.texts("namespaces"),
        config_map=_config_map(report),
        directory=report.text("directory"),
        log=report.choice("log", ("summary", "markdown", "json", "none"), "markdown"),
        textfile=metrics.text("textfile"),
        push=metrics.text("push"),
        push_job=metrics.text("pushJob", "meshcheck"),
        serve=metrics.text("serve"),
        events=top.flag("events"),
        time_limit=top.seconds("timeLimit", 300),
        debounce=watch.seconds("debounce", 2),
        at_least_every=watch.seconds("atLeastEvery", 600),
    )
    for fields in (report, metrics, watch, top):
        fields.end()
    if top.has("checks") and not checks and not wrong:
        top.complain("is empty: name at least one check", "checks")
    return settings, tuple(wrong)


def _config_map(report: Fields) -> tuple[str, str] | None:
    if not report.has("configMap"):
        report.raw("configMap")
        return None
    fields = report.mapping("configMap")
    namespace, name = fields.text("namespace"), fields.text("name", "meshcheck-report")
    fields.end()
    return namespace, name


def _check(fields: Fields, read_question: ReadQuestion, questions_of: Callable[[str], Any]) -> Check | None:
    """A check; None when its mapping says none, which is noted."""
    kinds = [kind for kind in ("lint", "questions", "test") if fields.has(kind) or (kind == "questions" and fields.has("questionsFrom"))]
    name = fields.text("name", kinds[0] if kinds else "")
    for kind in ("lint", "questions", "questionsFrom", "test"):
        fields.raw(kind)
    fields.end()
    if len(kinds) != 1:
        fields.complain("must have one of lint, questions (or questionsFrom) and test" + (f", not {' and '.join(kinds)}" if kinds else ""))
        return None
    check: Check
    if kinds[0] == "lint":
        inner = fields.mapping("lint")
        fail_on: tuple[FailOn, ...] = (*SEVERITIES, "never")
        chosen = inner.texts("select"), inner.texts("ignore")
        check = LintCheck(name, inner.choice("failOn", fail_on, "error"), *chosen, inner.flag("allowUnknown"))
        inner.end()
    elif kinds[0] == "test":
        check = AssertionCheck(name, fields.texts("test"))
    else:
        check = QuestionCheck(name, _asked(fields, read_question, questions_of))
    return check


def _asked(fields: Fields, read_question: ReadQuestion, questions_of: Callable[[str], Any]) -> tuple[Asked | AskedApi, ...]:
    """Questions in the check and in the files that it names, in this order."""
    out = [asked for inner in fields.mappings("questions") if (asked := _question(inner, read_question))]
    for file in fields.texts("questionsFrom"):
        try:
            content = questions_of(file)
        except MeshcheckError as error:
            fields.complain(f"cannot be used: {error}", "questionsFrom")
            continue
        wrong: list[Wrong] = []
        for inner in Fields({"questions": content}, (), wrong).mappings("questions"):
            if asked := _question(inner, read_question):
                out.append(asked)
        for item in wrong:
            fields.complain(f"`{file}`: {item.message}", "questionsFrom")
    if ids := _twice([asked.id for asked in out]):
        fields.complain(f"has two questions with the id `{ids[0]}`")
    return tuple(out)


def _question(fields: Fields, read_question: ReadQuestion) -> Asked | AskedApi | None:
    if fields.has("can") or fields.has("whoCan"):
        return _api_question(fields, read_question)
    expect = fields.raw("expect")
    if expect is None:
        expect = "allowed"
    if expect not in EXPECTED and not (isinstance(expect, int) and not isinstance(expect, bool) and 100 <= expect <= 599):
        fields.complain(f"is `{expect}`, neither {', '.join(EXPECTED)} nor a status from 100 to 599", "expect")
        return None
    id, given = fields.text("id"), {name: fields.raw(name) for name in _QUESTION}
    fields.end()
    try:
        question = read_question(given)
    except UsageError as error:
        fields.complain(f"cannot be asked: {error}")
        return None
    assert isinstance(question, Question)
    call = call_words(question)
    return Asked(id or call, call, question, expect)


def _api_question(fields: Fields, read_question: ReadQuestion) -> AskedApi | None:
    """`can` with the verdict that is wanted, or `whoCan` with everybody who may (`only`)."""
    who = fields.has("whoCan")
    if who and not fields.has("only"):
        fields.complain("must say who may and nobody else: names such as `sa/shop/web`, `user/ann`, `group/devs`, with `*`", "only")
        return None
    expect = "allowed" if who else fields.choice("expect", EXPECTED, "allowed")
    only = fields.texts("only") if who else None
    id, given = fields.text("id"), {name: fields.raw(name) for name in _API_QUESTION}
    fields.end()
    try:
        request = read_question(given)
    except UsageError as error:
        fields.complain(f"cannot be asked: {error}")
        return None
    assert isinstance(request, ApiRequest)
    call = f"who can {request_words(request)}" if who else f"{user_words(request)} {request_words(request)}"
    return AskedApi(id or call, call, request, f"only {', '.join(only)}" if only is not None else expect, only)


def _twice(names: list[str]) -> list[str]:
    return [name for number, name in enumerate(names) if name in names[:number]]
