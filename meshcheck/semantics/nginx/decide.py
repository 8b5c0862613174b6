"""The phases of nginx in order: rewriting of the server, location, rewriting of the location, access, try_files, content, error pages.

Source: nginx/nginx:src/http/ngx_http_core_module.c (the functions ngx_http_core_*_phase), ngx_http_special_response.c.
"""

from __future__ import annotations

from meshcheck.model.nginx import Directive
from meshcheck.semantics.nginx import access, rewriting
from meshcheck.semantics.nginx.contents import Elsewhere, content, try_files
from meshcheck.semantics.nginx.levels import Level, entered
from meshcheck.semantics.nginx.locations import find, named
from meshcheck.semantics.nginx.run import Answer, Run
from meshcheck.semantics.nginx.supposing import Undecided
from meshcheck.semantics.nginx.variables import sure

_REDIRECTS = (301, 302, 303, 307, 308)
_METHODS = frozenset(
    ["GET", "HEAD", "POST", "PUT", "DELETE", "MKCOL", "COPY", "MOVE", "OPTIONS", "PROPFIND", "PROPPATCH", "LOCK", "UNLOCK", "PATCH"]
)


def process(run: Run) -> Answer:
    """A request, a sub-request or an internal redirect from the start. Raises Undecided."""
    if run.redirects < 0:
        return Answer(500, "the URI changes more than ten times", run.location)
    entered(run.server)
    done = rewriting.execute(run, run.server)
    return ended(run, run.server, done.answer) if done.answer is not None else _located(run)


def _located(run: Run) -> Answer:
    while run.redirects >= 0:
        found = find(run.server, run.uri, run.supposing)
        level = entered(found.level)
        run.location = level.directive if level.directive is not run.server.directive else None
        if run.location is not None:
            run.trail.append(run.location)
        if found.match is not None:
            run.captured(found.match)
        if level.setting("internal") and not run.internal:
            return ended(run, level, Answer(404, f"the location `{run.location}` is internal", level.setting("internal")[0]))
        level = _by_method(run, level)
        if found.redirect:
            return ended(run, level, Answer(301, f"`{run.location}` wants a slash at the end", run.location))
        answer = _in_location(run, level)
        if answer is not None:
            return answer
        run.redirects -= 1
    return Answer(500, "the URI changes more than ten times", run.location)


def _by_method(run: Run, level: Level) -> Level:
    """The block of `limit_except` for methods that it does not list; GET lists HEAD as well."""
    for item in level.own("limit_except"):
        listed = {*item.args, *(("HEAD",) if "GET" in item.args else ())}
        if run.method not in listed and run.method in _METHODS:
            return entered(Level(item, level))
    return level


def _in_location(run: Run, level: Level) -> Answer | None:
    """The answer of a location; None when the URI was changed and another location is to be found."""
    if level is not run.server:
        done = rewriting.execute(run, level)
        if done.answer is not None:
            return ended(run, done.level, done.answer)
        if done.changed:
            return None
        level = done.level
    if not run.sub_request:
        refused = access.refusal(run, level, process)
        if refused is not None:
            return ended(run, level, refused)
    try:
        answer = try_files(run, level) or content(run, level)
    except Elsewhere as there:
        return _elsewhere(run, level, there.uri, there.by)
    return ended(run, level, answer)


def _elsewhere(run: Run, level: Level, target: str, by: Directive, error_page: bool = False) -> Answer:
    """An internal redirect to a URI or to a location with a name."""
    if not target.startswith("@"):
        uri, _, args = target.partition("?")
        return process(run.again(uri, args or (run.args if not error_page else ""), error_page=error_page))
    found = named(run.server, target)
    if found is None:
        return Answer(500, f"there is no location `{target}`", by)
    new = run.again(run.uri, run.args, error_page=error_page)
    if error_page:
        new.method = new.request_method = run.method
    if new.redirects < 0:
        return Answer(500, "the URI changes more than ten times", by)
    new.location = found.directive
    return _in_location(new, entered(found)) or _located(new)


def ended(run: Run, level: Level, answer: Answer) -> Answer:
    """The answer after `error_page`, which may put another in its place."""
    status = answer.status
    if status is None or status < 300 or status == 444 or answer.body is not None or run.error_page:
        return answer
    for item in level.setting("error_page"):
        codes, target = item.args[:-1], item.args[-1] if item.args else ""
        if str(status) not in codes:
            continue
        change = next((code[1:] for code in codes if code.startswith("=")), None)
        recursive = level.last("recursive_error_pages")
        if recursive is not None and recursive.args == ("on",):
            raise Undecided(f"what `{item}` ({item.place}) makes of status {status} with recursive_error_pages")
        target = sure(run, target)
        if not target.startswith(("/", "@")):
            to = int(change) if change and change.isdigit() and int(change) in _REDIRECTS else 302
            return Answer(to, f"`{item}` redirects", item)
        page = _elsewhere(run, level, target, item, error_page=True)
        return _paged(answer, page, item, change)
    return answer


def _paged(answer: Answer, page: Answer, item: Directive, change: str | None) -> Answer:
    """The status of an error page: that of the error, unless `error_page` says `=` or making the page fails."""
    if page.status is not None and page.status >= 300 and page.body is None:
        return page
    if change is None:
        return answer._replace(body="" if page.status is None else page.body)
    if change.isdigit():
        return Answer(int(change), f"{answer.why}, then `{item}`", item, body="")
    return page
