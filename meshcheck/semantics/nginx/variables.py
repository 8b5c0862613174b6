"""Variables, `map`, `geo`, and the conditions of `if`.

Sources: nginx/nginx:src/http/ngx_http_variables.c, modules/ngx_http_map_module.c, modules/ngx_http_geo_module.c,
modules/ngx_http_rewrite_module.c (ngx_http_rewrite_if_condition).
"""

from __future__ import annotations

import re

from meshcheck.model.nginx import Directive
from meshcheck.model.pattern import pattern
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.addresses import parse_block
from meshcheck.semantics.nginx import files
from meshcheck.semantics.nginx.patterns import search
from meshcheck.semantics.nginx.request import client_address, within
from meshcheck.semantics.nginx.run import Run
from meshcheck.semantics.nginx.supposing import Undecided

_REFERENCE = pattern(r"\$(?:\{(\w+)\}|(\w+))")
_DEEPEST = 20


class Unsure(NamedTuple):
    """A value that is not known, and why."""

    fact: str


def expand(run: Run, text: str, depth: int = 0) -> str | Unsure:
    """A text with its variables filled in."""
    out, at = "", 0
    for match in _REFERENCE.finditer(text):
        value = value_of(run, match[1] or match[2], depth)
        if isinstance(value, Unsure):
            return value
        out, at = out + text[at : match.start()] + value, match.end()
    return out + text[at:]


def sure(run: Run, text: str) -> str:
    """The same, where nothing can be said without the value. Raises Undecided."""
    value = expand(run, text)
    if isinstance(value, Unsure):
        raise Undecided(value.fact)
    return value


def value_of(run: Run, name: str, depth: int = 0) -> str | Unsure:
    """The value of a variable, without its `$`."""
    request = run.request
    if name in run.captures:
        return run.captures[name]
    if name.isdigit():
        return ""
    if name in run.variables:
        return run.variables[name]
    simple = {
        "uri": run.uri, "document_uri": run.uri, "request_uri": request.target, "args": run.args, "query_string": run.args,
        "is_args": "?" if run.args else "", "request_method": run.request_method, "scheme": "https" if request.tls else "http",
        "https": "on" if request.tls else "", "server_port": str(request.port), "host": run.host, "http_host": request.authority,
        "remote_user": "", "request": f"{request.method} {request.target} HTTP/1.1",
    }  # fmt: skip
    if name in simple:
        return simple[name]
    if name.startswith("arg_"):
        pairs = (pair.partition("=") for pair in run.args.split("&"))
        return next((value for key, _, value in pairs if key.lower() == name[4:].lower()), "")
    if name.startswith("http_"):
        value = request.header(name[5:].replace("_", "-"))
        return Unsure(f"the header `{name[5:].replace('_', '-')}` of the call") if value is None else value
    if name.startswith("cookie_"):
        cookies = (part.strip().partition("=") for part in (request.header("cookie") or "").split(";"))
        return next((value for key, _, value in cookies if key.lower() == name[7:].lower()), "")
    if name == "remote_addr":
        address = client_address(request, run.server, run.supposing)
        return Unsure("the address of the caller, as nginx sees it") if address is None else address
    if name == "server_name":
        names = [n for item in run.server.own("server_name") for n in item.args]
        return names[0] if names else ""
    http = run.server.parent.own("map", "geo") if run.server.parent is not None else ()
    for item in http:
        if item.args and item.args[-1] == f"${name}" and depth < _DEEPEST:
            return _mapped(run, item, depth + 1) if item.name == "map" else _located(run, item)
    return Unsure(f"the value of `${name}`")


def _mapped(run: Run, item: Directive, depth: int) -> str | Unsure:
    subject = expand(run, item.args[0], depth)
    entries = [(e.name, e.args[0] if e.args else "") for e in item.block or () if e.name not in ("volatile",)]
    if isinstance(subject, Unsure) or any(name in ("hostnames", "include") for name, _ in entries):
        values = {value for name, value in entries if name not in ("hostnames", "include")} | (
            set() if any(name == "default" for name, _ in entries) else {""}
        )
        if len(values) == 1 and not any(name in ("hostnames", "include") for name, _ in entries):
            return expand(run, values.pop(), depth)
        return subject if isinstance(subject, Unsure) else Unsure(f"the value of `{item.args[1]}` ({item.place})")
    for name, value in entries:
        if not name.startswith("~") and name != "default" and name.removeprefix("\\").lower() == subject.lower():
            return expand(run, value, depth)
    for name, value in entries:
        if name.startswith("~"):
            match = search(name.lstrip("~").removeprefix("*"), subject, name.startswith("~*"))
            if match is False:
                return Unsure(f"whether `{name}` matches `{subject}`")
            if isinstance(match, re.Match):
                run.captures = {**run.captures, **{key: found or "" for key, found in match.groupdict().items()}}
                return expand(run, value, depth)
    return expand(run, next((value for name, value in entries if name == "default"), ""), depth)


def _located(run: Run, item: Directive) -> str | Unsure:
    entries = [(e.name, e.args[0] if e.args else "") for e in item.block or ()]
    if any(name in ("ranges", "include", "delete", "proxy", "proxy_recursive") for name, _ in entries):
        return Unsure(f"the value of `{item.args[-1]}` ({item.place})")
    address = expand(run, item.args[0] if len(item.args) == 2 else "$remote_addr")
    if isinstance(address, Unsure):
        return address
    found = [(block.shift, value) for name, value in entries if (block := parse_block(name)) is not None and within(address, name)]
    return min(found)[1] if found else next((value for name, value in entries if name == "default"), "")


def holds(run: Run, condition: Directive) -> bool:
    """Whether the condition of an `if` holds; what is not known is supposed."""
    args = condition.args
    words = f"whether `if ({' '.join(args)})` ({condition.place}) holds"
    if len(args) == 1:
        value = expand(run, args[0])
        return run.supposing.ask(f"{words}: {value.fact}") if isinstance(value, Unsure) else value not in ("", "0")
    if len(args) == 2 and args[0].removeprefix("!") in ("-f", "-d", "-e", "-x"):
        path = expand(run, args[1])
        found = None if isinstance(path, Unsure) else files.there(run.nginx.mounts, path, args[0][-1])
        return run.supposing.ask(words) if found is None else found != args[0].startswith("!")
    if len(args) != 3:
        return run.supposing.ask(words)
    left, operator, wanted = args
    value = expand(run, left)
    if isinstance(value, Unsure):
        return run.supposing.ask(f"{words}: {value.fact}")
    if operator in ("=", "!="):
        right = expand(run, wanted)
        if isinstance(right, Unsure):
            return run.supposing.ask(f"{words}: {right.fact}")
        return (value == right) == (operator == "=")
    if operator.removeprefix("!") in ("~", "~*"):
        match = search(wanted, value, operator.endswith("*"))
        if match is False:
            return run.supposing.ask(words)
        if isinstance(match, re.Match):
            run.captured(match)
        return (match is not None) != operator.startswith("!")
    return run.supposing.ask(words)
