"""Who may: `allow` and `deny`, then `auth_basic`, then `auth_request`, put together by `satisfy`.

Sources: nginx/nginx:src/http/ngx_http_core_module.c (ngx_http_core_access_phase), modules/ngx_http_access_module.c,
modules/ngx_http_auth_basic_module.c, modules/ngx_http_auth_request_module.c. The order is the reverse of that in auto/modules.
"""

from __future__ import annotations

from collections.abc import Callable

from meshcheck.decode.processes import may_read
from meshcheck.semantics.nginx import files
from meshcheck.semantics.nginx.levels import Level
from meshcheck.semantics.nginx.passwords import accepts, credentials
from meshcheck.semantics.nginx.request import BEHIND_SIDECAR, client_address, within
from meshcheck.semantics.nginx.run import Answer, Run
from meshcheck.semantics.nginx.supposing import Undecided
from meshcheck.semantics.nginx.variables import Unsure, expand

SubRequest = Callable[[Run], Answer]
Vote = Answer | bool
"""A refusal, True for a clear yes, False for no opinion."""


def refusal(run: Run, level: Level, ask: SubRequest) -> Answer | None:
    """The refusal of the access phase; None when the call is let in. `ask` answers a sub-request."""
    satisfy = level.last("satisfy")
    either = satisfy is not None and satisfy.args == ("any",)
    refused: Answer | None = None
    for step in (_addresses, _password, lambda r, at: _sub_request(r, at, ask)):
        vote = step(run, level)
        if vote is True:
            if either:
                return None
        elif isinstance(vote, Answer):
            if not either or vote.status not in (401, 403):
                return vote
            if refused is None or refused.status != 401:
                refused = vote
    return refused


def _addresses(run: Run, level: Level) -> Vote:
    rules = [item for item in level.setting("allow", "deny") if item.args]
    if not rules:
        return False
    first = run.server if run.server.setting("set_real_ip_from") else level
    address = client_address(run.request, first, run.supposing)
    if address is not None and ":" in address and "." in address:
        address = address.rpartition(":")[2]
    for rule in rules:
        found = within(address, rule.args[0])
        if found is None:
            found = run.supposing.ask(
                f"the address of the caller, as nginx sees it: `{rule}` ({rule.place}) looks at it (say `--source-ip`)"
                if address is None
                else f"whether `{rule}` ({rule.place}) means {address}"
            )
        if found:
            told = address is not None and (rule.args[0] != "all" or len(rules) > 1)
            seen = f" (nginx sees {address}{', its own sidecar' if address == BEHIND_SIDECAR else ''})" if told else ""
            return True if rule.name == "allow" else Answer(403, f"`{rule}`{seen}", rule)
    return False


def _password(run: Run, level: Level) -> Vote:
    realm, file = level.last("auth_basic"), level.last("auth_basic_user_file")
    if realm is None or file is None or not realm.args or not file.args:
        return False
    value = expand(run, realm.args[0])
    if isinstance(value, Unsure):
        if not run.supposing.ask(f"whether `{realm}` ({realm.place}) asks for a password: {value.fact}"):
            return False
    elif value in ("off", ""):
        return False
    header = run.request.header("authorization")
    given = credentials(header) if header else None
    if given is None:
        return Answer(401, f"`{realm}` asks for a password, and the call has none", realm)
    path = expand(run, file.args[0])
    if isinstance(path, Unsure):
        raise Undecided(path.fact)
    path = path if path.startswith("/") else f"/etc/nginx/{path}"
    found = files.file_at(run.nginx.mounts, path)
    if found is None or found.text is None:
        mount = files.mount_of(run.nginx.mounts, path)
        if mount is not None and mount.files is not None and found is None:
            return Answer(403, f"the password file {path} is no key of {mount.what}", file)
        what = mount.what if mount is not None else "the image"
        said = f"whether the password of user `{given[0]}` is right: {path} of {what} ({file.place}) is not in the input"
        return True if run.supposing.ask(said) else Answer(401, f"`{realm}`: wrong user or password", realm)
    may = may_read(run.nginx.worker, found.mode, found.group)
    if may is None and not run.supposing.ask(f"whether {run.nginx.worker.why} may read {path} (mode {found.mode:04o})"):
        may = False
    if may is False:
        return Answer(500, f"{run.nginx.worker.why} may not read the password file {path} (mode {found.mode:04o})", file, found.source)
    right = accepts(found.text, *given)
    if right is None:
        right = run.supposing.ask(f"whether the password of user `{given[0]}` fits its hash in {path}")
    return True if right else Answer(401, f"`{realm}`: wrong user or password", realm, found.source)


def _sub_request(run: Run, level: Level, ask: SubRequest) -> Vote:
    setting = level.last("auth_request")
    if setting is None or not setting.args or setting.args[0] == "off":
        return False
    value = expand(run, setting.args[0])
    if isinstance(value, Unsure):
        raise Undecided(value.fact)
    uri, _, args = value.partition("?")
    answer = ask(run.again(uri, args, sub_request=True))
    if answer.status is None:
        fact = f"what answers the sub-request of `{setting}` ({setting.place}): {answer.why}"
        return True if run.supposing.ask(fact) else Answer(403, f"`{setting}` refuses", setting)
    if 200 <= answer.status < 300:
        return True
    status = answer.status if answer.status in (401, 403, 444) else 500
    return Answer(status, f"`{setting}`: the sub-request gets {answer.status} ({answer.why})", setting)
