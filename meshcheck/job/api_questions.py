"""Questions about the API server's RBAC: may this user send that request, and who may."""

from __future__ import annotations

from fnmatch import fnmatchcase

from meshcheck.decode.rbac import collect_rbac
from meshcheck.explain.rbac_fixes import rbac_fixes
from meshcheck.job.seen import Seen
from meshcheck.job.settings import AskedApi
from meshcheck.model.cluster_kinds import RBAC, kinds_for
from meshcheck.model.rbac import MASTERS, Subject
from meshcheck.model.report import Answer, Result
from meshcheck.model.trace import ALLOWED, DENIED, UNKNOWN
from meshcheck.render import can as words
from meshcheck.semantics.kubernetes_rbac.near_misses import near_misses
from meshcheck.semantics.kubernetes_rbac.permissions import Decision, Permissions
from meshcheck.semantics.kubernetes_rbac.who_can import Allowed, who_can

_VERDICTS = {True: ALLOWED, False: DENIED, None: UNKNOWN}
_MOST = 12
"""How many of those who may and should not are named."""
_OPEN = "bindings outside of the input may grant it: `--closed-world` says that there are none"


def answer_api(seen: Seen, asked: AskedApi) -> Answer:
    """What became of one question. Near misses and fixes are looked for where a request is refused that should not be."""
    permissions = _permissions(seen)
    return _of_one(permissions, asked) if asked.only is None else _of_all(permissions, asked, asked.only)


def _permissions(seen: Seen) -> Permissions:
    """Roles and bindings as they were read, collected once for a World."""
    world, coverage = seen.world, seen.world.coverage

    def make() -> Permissions:
        for kind in kinds_for(RBAC):
            world.note(kind.heading, knowing=True)
        closed = world.complete(*(kind.heading for kind in kinds_for(RBAC)))
        return Permissions(collect_rbac(seen.reading.documents, closed=closed), closed=closed, coverage=coverage)

    return world.once("permissions", make)


def _of_one(permissions: Permissions, asked: AskedApi) -> Answer:
    decision = permissions.decide(asked.request)
    verdict = _VERDICTS[decision.allowed]
    result: Result = "passed" if verdict == asked.expect else "unknown" if verdict == UNKNOWN else "failed"
    if verdict == DENIED and result == "failed":
        misses = near_misses(permissions, asked.request)
        fixes = rbac_fixes(permissions, asked.request, decision, misses)
    else:
        misses, fixes = [], []
    grant = decision.grant
    return Answer(
        asked.id,
        asked.call,
        asked.expect,
        result,
        verdict,
        _headline(words.Answer(asked.request, decision, tuple(misses)), decision),
        grant.binding.meta.ref if grant is not None else None,
        causes=tuple(words.miss_words(miss) for miss in misses),
        fixes=tuple(fix.description for fix in fixes),
        missing=decision.missing,
    )


def _headline(answer: words.Answer, decision: Decision) -> str:
    if decision.allowed is None:
        return f"? unknown — {decision.missing[0]}"
    return f"✓ allowed — {words.reason_words(answer)}" if decision.allowed else f"✗ 403 Forbidden — {words.reason_words(answer)}"


def _of_all(permissions: Permissions, asked: AskedApi, only: tuple[str, ...]) -> Answer:
    """Everybody who may must be among those who should; Kubernetes' own users, and those who may do everything, are not asked about."""
    found = [item for item in who_can(permissions, asked.request) if not item.of_kubernetes and item.subject != Subject("Group", MASTERS)]
    strangers = [item for item in found if not any(fnmatchcase(name_of(item.subject), pattern) for pattern in only)]
    missing = permissions.unread(asked.request) or (() if permissions.closed or permissions.coverage is not None else (_OPEN,))
    result: Result = "failed" if strangers else "unknown" if missing else "passed"
    told = f"{len(found)} may" if not strangers else f"{len(strangers)} may, and should not: {', '.join(map(_name, strangers[:3]))}"
    more = (f"and {len(strangers) - _MOST} more",) if len(strangers) > _MOST else ()
    return Answer(
        asked.id,
        asked.call,
        asked.expect,
        result,
        headline=told + (" …" if len(strangers) > 3 else ""),
        decided_by=strangers[0].binding.meta.ref if strangers and strangers[0].binding is not None else None,
        causes=(*(_cause(item) for item in strangers[:_MOST]), *more),
        missing=missing if result != "failed" else (),
    )


def name_of(subject: Subject) -> str:
    """`sa/shop/web`, `user/ann`, `group/devs`."""
    return f"sa/{subject.namespace}/{subject.name}" if subject.kind == "ServiceAccount" else f"{subject.kind.lower()}/{subject.name}"


def _name(item: Allowed) -> str:
    return name_of(item.subject)


def _cause(item: Allowed) -> str:
    if item.binding is None or item.granted is None:
        return f"{_name(item)} needs no binding"
    return f"{_name(item)} by {item.binding.meta.ref} and {item.granted.source.meta.ref} rules[{item.granted.number}]"
