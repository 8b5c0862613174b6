"""Statements from the values of a file: `meshcheck/data/schemas/assertions.v1.json` says what it looks like."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from meshcheck.analyse.assertions.assertion import EXPECTED, Assertion, Selection, Selector
from meshcheck.analyse.shape import Shape
from meshcheck.decode.fields import Fields, Wrong
from meshcheck.model.record import record
from meshcheck.semantics.addresses import parse_address


@record
class AssertionFile:
    """Where the World comes from, where the file says so, and the statements."""

    sources: tuple[str, ...]
    closed: bool
    sidecars: tuple[str, ...]
    assertions: tuple[Assertion, ...]


def read_assertions(content: Any, name: str) -> tuple[AssertionFile, list[Wrong]]:
    """The statements of a file, and everything that is wrong in it. `name` stands for statements without one."""
    wrong: list[Wrong] = []
    fields = Fields(content, (), wrong)
    if content is None:
        fields.complain("is empty: it needs `tests`")
    sources, closed, sidecars = fields.texts("sources"), fields.flag("closedWorld"), fields.texts("sidecars")
    assertions = tuple(_assertion(item, f"{name} {number}") for number, item in enumerate(fields.mappings("tests"), 1))
    if content is not None and not assertions and not wrong:
        fields.complain("holds no statement: write them below `tests`")
    fields.end()
    return AssertionFile(sources, closed, sidecars, assertions), wrong


def _assertion(fields: Fields, name: str) -> Assertion:
    expect, status = _expected(fields)
    callers = _selection(fields, "from", _caller)
    targets = _selection(fields, "to", _target)
    made = Assertion(
        name=fields.text("name", name),
        path=fields.path,
        callers=callers,
        targets=targets,
        shape=_shape(fields),
        expect=expect,
        status=status,
        by=fields.text("by"),
        because=fields.text("because"),
        strangers=fields.flag("strangers") if fields.has("strangers") else None,
    )
    fields.raw("strangers")
    fields.end()
    return made


def _expected(fields: Fields) -> tuple[str, int | None]:
    """`expect: denied`, or `status: 403`, which means denied."""
    status = fields.raw("status")
    if status is not None and (isinstance(status, bool) or not isinstance(status, int) or not 100 <= status <= 599):
        fields.complain(f"must be a status such as 403, not `{status}`", "status")
        status = None
    usual = "denied" if status is not None and status >= 400 else "allowed"
    expect = fields.choice("expect", EXPECTED, usual)
    if status is None and not fields.has("expect") and not fields.has("status"):
        fields.complain(f"says nothing: it needs `expect` ({', '.join(EXPECTED)}) or `status`")
    return expect, status


def _shape(fields: Fields) -> Shape:
    headers = []
    for name, wanted in (fields.raw("headers") or {}).items() if isinstance(fields.raw("headers"), dict) else ():
        values = wanted if isinstance(wanted, list) else [wanted] if wanted is not None else []
        headers.append((str(name).lower(), tuple(str(item) for item in values)))
    if fields.has("headers") and not isinstance(fields.raw("headers"), dict):
        fields.complain("must be a mapping of names and values", "headers")
    paths = fields.texts("paths")
    for number, path in enumerate(paths):
        if not path.startswith(("/", "*")):
            fields.complain(f"has `{path}` as number {number}: a path begins with `/` (or `*`)", "paths")
    token = fields.flag("token") if fields.has("token") else None
    fields.raw("token")
    return Shape(tuple(m.upper() for m in fields.texts("methods")), paths, fields.texts("hosts"), tuple(headers), token=token)


def _selection(fields: Fields, name: str, read: Callable[[str], Selector | str]) -> Selection:
    """A text, a mapping, or a list of both; `except` in a mapping leaves some out."""
    if not fields.has(name):
        fields.complain(f"needs `{name}`")
    include: list[Selector] = []
    exclude: list[Selector] = []
    content = fields.raw(name)
    for number, item in enumerate(content if isinstance(content, list) else [content] if content is not None else []):
        path = (*fields.path, name, number) if isinstance(content, list) else (*fields.path, name)
        _one(item, path, fields.wrong, read, include, exclude)
    return Selection(tuple(include), tuple(exclude))


def _one(
    item: Any, path: Any, wrong: list[Wrong], read: Callable[[str], Selector | str], include: list[Selector], exclude: list[Selector]
) -> None:
    if isinstance(item, str):
        made = read(item)
        if isinstance(made, str):
            Fields({}, path, wrong).complain(made)
        else:
            include.append(made)
        return
    inner = Fields(item, path, wrong)
    if not isinstance(item, dict):
        return
    include.extend(_mapped(inner, path, wrong, read))
    excluded = inner.raw("except")
    for number, other in enumerate(excluded if isinstance(excluded, list) else [excluded] if excluded is not None else []):
        _one(other, (*path, "except", number) if isinstance(excluded, list) else (*path, "except"), wrong, read, exclude, exclude)
    inner.end()


def _mapped(inner: Fields, path: Any, wrong: list[Wrong], read: Callable[[str], Selector | str]) -> list[Selector]:
    """`of` (as texts), or namespaces, names, serviceAccounts, labels and port."""
    out = []
    for text in inner.texts("of"):
        made = read(text)
        if isinstance(made, str):
            inner.complain(made, "of")
        else:
            out.append(made)
    labels = inner.raw("labels")
    if labels is not None and not isinstance(labels, dict):
        inner.complain("must be a mapping", "labels")
        labels = None
    port = inner.raw("port")
    if port is not None and (isinstance(port, bool) or not isinstance(port, int) or not 0 < port < 65536):
        inner.complain(f"must be a number from 1 to 65535, not `{port}`", "port")
        port = None
    namespaces, names, accounts = inner.texts("namespaces"), inner.texts("names"), inner.texts("serviceAccounts")
    if namespaces or names or accounts or labels or (port is not None and not out):
        words = ", ".join(
            [
                *(f"namespace {n}" for n in namespaces),
                *names,
                *(f"sa {a}" for a in accounts),
                *(f"{k}={v}" for k, v in (labels or {}).items()),
            ]
        )
        made_labels = {str(k): str(v) for k, v in (labels or {}).items()} if labels else None
        out.append(Selector(words or "all workloads", "workloads", namespaces, names, accounts, made_labels, port))
    elif not out:
        inner.complain("means nobody: give `of`, `namespaces`, `names`, `serviceAccounts` or `labels`")
    return out


def _caller(text: str) -> Selector | str:
    """`shop/frontend`, `shop/*`, `*`, `sa/shop/frontend`, `external`, `workloads`, `any`, an IP address."""
    if text in ("any", "external", "workloads", "stranger"):
        return Selector(text, text)
    if parse_address(text) is not None:
        return Selector(text, "address", url=text)
    parts = text.split("/")
    if parts[0] == "sa" and len(parts) == 3:
        return Selector(text, "workloads", (parts[1],), (), (parts[2],))
    if len(parts) == 2 and all(parts):
        return Selector(text, "workloads", (parts[0],), (parts[1],))
    forms = "NAMESPACE/NAME (globs), sa/NAMESPACE/NAME, `external`, `workloads`, `any`, or an IP address"
    return f"is `{text}`, which names no callers: write {forms}"


def _target(text: str) -> Selector | str:
    """`payments/*`, `shop/cart:8080`, or a URL."""
    if "://" in text:
        return Selector(text, "url", url=text)
    if text == "any":
        return Selector(text, "workloads")
    name, colon, port = text.rpartition(":")
    if colon and not (port.isdigit() and 0 < int(port) < 65536):
        return f"is `{text}`: `{port}` is no port"
    parts = (name if colon else text).split("/")
    if len(parts) == 2 and all(parts):
        return Selector(text, "workloads", (parts[0],), (parts[1],), port=int(port) if colon else None)
    return f"is `{text}`, which names no targets: write NAMESPACE/NAME or NAMESPACE/NAME:PORT (globs), a URL, or `any`"
