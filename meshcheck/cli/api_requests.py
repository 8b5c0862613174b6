"""From the words of `meshcheck can` to a request, as kubectl would make it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from meshcheck.errors import UsageError
from meshcheck.model.api_resources import VERBS, Resource, Resources
from meshcheck.model.pattern import pattern
from meshcheck.model.rbac import ACCOUNT_PREFIX, UNAUTHENTICATED, ApiRequest, groups_of

if TYPE_CHECKING:
    from meshcheck.load.read import Document

_VERSION = pattern(r"v\d+(?:(?:alpha|beta)\d+)?")
_METHODS = frozenset(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])


def caller_of(word: str, groups: list[str], namespace: str | None, documents: Iterable[Document]) -> tuple[str, tuple[str, ...]]:
    """User name and groups of `sa/NS/NAME`, `user/NAME`, `NAME`, or of a workload, `deploy/NS/NAME`."""
    kind, slash, rest = word.partition("/")
    if not word.strip() or (slash and not rest):
        raise UsageError(f"`--as {word}`: no name; use `sa/NAMESPACE/NAME`, `user/NAME` or `deploy/NAMESPACE/NAME`")
    if slash and kind in ("sa", "serviceaccount"):
        space, name = _placed(rest, namespace, word)
        user = f"{ACCOUNT_PREFIX}{space}:{name}"
    elif slash and kind == "user":
        user = rest
    elif slash and (found := Resources().find(kind)):
        space, name = _placed(rest, namespace, word)
        user = f"{ACCOUNT_PREFIX}{space}:{_account_of_workload(found, space, name, documents)}"
    else:
        user = word
    own = () if UNAUTHENTICATED in groups else groups_of(user)
    return user, tuple(dict.fromkeys((*groups, *own)))


def _placed(rest: str, namespace: str | None, word: str) -> tuple[str, str]:
    space, slash, name = rest.partition("/")
    if not slash:
        space, name = namespace or "default", rest
    if not space or not name or "/" in name:
        raise UsageError(f"`--as {word}`: a namespace and a name are needed, as in `sa/shop/web`")
    return space, name


def _account_of_workload(resource: Resource, namespace: str, name: str, documents: Iterable[Document]) -> str:
    """The service account of a workload of the input."""
    from meshcheck.decode.metadata import decode_meta
    from meshcheck.decode.registry import bucket_of, decoder_of
    from meshcheck.model.core import Workload

    for document in documents:
        value = document.value
        if value["kind"].lower() != resource.others[0] or bucket_of(value["apiVersion"], value["kind"]) != "Workload":
            continue
        meta = decode_meta(value, document.origin)
        decoder = decoder_of(value["apiVersion"], value["kind"])
        if decoder and (meta.name, meta.namespace) == (name, namespace):
            try:
                workload = decoder(value, meta)
            except (TypeError, ValueError, AttributeError, KeyError):
                continue
            if isinstance(workload, Workload):
                return workload.service_account
    raise UsageError(f"`--as`: no {resource.others[0]} {namespace}/{name} in the input; name its service account, `sa/{namespace}/NAME`")


def request_of(
    words: list[str], user: str, groups: tuple[str, ...], namespace: str | None, everywhere: bool, resources: Resources
) -> tuple[ApiRequest, list[str]]:
    """The request of VERB RESOURCE [NAME], VERB PATH or METHOD URL, and notes on how it was understood."""
    if len(words) < 2:
        raise UsageError("say what: `VERB RESOURCE [NAME]`, as in `list pods`, or `VERB /PATH`, as in `get /healthz`")
    verb, what, *rest = words
    if len(rest) > 1:
        raise UsageError(f"too many words behind `{what}`: only one name is expected, not `{' '.join(rest)}`")
    if what.startswith(("/", "https://", "http://")):
        if rest:
            raise UsageError(f"`{what}` is a path: no name can stand behind it")
        return _of_path(verb, what, user, groups)
    base, slash, subresource = what.partition("/")
    if not base or (slash and not subresource):
        raise UsageError(f"`{what}`: a resource is written `pods`, `deployments.apps` or `pods/log`")
    notes = [note] if (note := _verb_note(verb)) else []
    name = rest[0] if rest else ""
    plural, _, group = base.partition(".")
    if not plural:
        raise UsageError(f"`{what}`: no resource before the API group; write `RESOURCE.GROUP`, as in `deployments.apps`")
    group = group.partition(".")[2] if _VERSION.fullmatch(group.partition(".")[0]) else group
    found = resources.find(plural, group if "." in base else None)
    if found is None:
        notes.append(_unknown_note(plural, group, resources))
        found = Resource(plural, group, True, ())
    elif resources.served and (found.plural, found.group) not in resources.served and verb != "impersonate":
        notes.append(f"this API server does not serve {found}: it answers 404 to whoever may ask for it")
    if "." not in base and found.group and len(named := resources.plural(found.plural)) > 1:
        notes.append(f"`{base}` is taken for {found}; also known: {', '.join(str(r) for r in named if r is not found)}")
    where = "" if everywhere or not found.namespaced else namespace or "default"
    if (found.plural, found.group) == ("namespaces", "") and name:
        where = name  # the API server takes a Namespace for an object in itself
    return ApiRequest(user, groups, verb, found.group, found.plural, subresource, name, where), notes


def _of_path(verb: str, url: str, user: str, groups: tuple[str, ...]) -> tuple[ApiRequest, list[str]]:
    from meshcheck.semantics.kubernetes_rbac.requests import request_of as of_url

    if verb in _METHODS:
        return of_url(user, groups, verb, url), []
    path = url if url.startswith("/") else "/" + url.split("/", 3)[3] if url.count("/") > 2 else "/"
    notes = []
    if of_url(user, groups, "GET", path).path is None:
        notes.append(f"`{path}` is the path of a resource: ask `GET {path}` for the request that a client sends there")
    return ApiRequest(user, groups, verb, path=path), notes


def _verb_note(verb: str) -> str | None:
    if verb in VERBS:
        return None
    from difflib import get_close_matches

    near = get_close_matches(verb.lower(), VERBS, 1)
    return f"`{verb}` is no verb of Kubernetes' own{f'; did you mean `{near[0]}`?' if near else ''}"


def _unknown_note(plural: str, group: str, resources: Resources) -> str:
    from difflib import get_close_matches

    near = get_close_matches(plural.lower(), [r.plural for r in resources.all if not group or r.group == group], 1)
    place = f"API group `{group}`" if group else "the core group"
    known = "served by this API server" if resources.served else "known here"
    meant = f"; did you mean `{near[0]}`?" if near else ""
    return f"no resource `{plural}` is {known}: it is taken for one of {place}, as it is written{meant}"


def custom_resources(documents: Iterable[Document]) -> Iterable[Resource]:
    """Resources that the CustomResourceDefinitions of the input define."""
    for document in documents:
        if document.value["kind"] != "CustomResourceDefinition":
            continue
        spec = document.value.get("spec")
        names = spec.get("names") if isinstance(spec, dict) else None
        if not isinstance(spec, dict) or not isinstance(names, dict) or not isinstance(names.get("plural"), str):
            continue
        short = names.get("shortNames")
        others = [names.get("singular"), names.get("kind"), *(short if isinstance(short, list) else ())]
        words = tuple(dict.fromkeys(word.lower() for word in others if isinstance(word, str)))
        yield Resource(names["plural"], str(spec.get("group") or ""), spec.get("scope") != "Cluster", words)


def request_of_json(asked: Mapping[str, Any]) -> ApiRequest:
    """The request of a batch question: literal, but groups that are not given at all follow from the user."""
    for name in ("user", "verb", "group", "resource", "subresource", "name", "namespace", "path"):
        if not isinstance(asked.get(name) or "", str):
            raise UsageError(f"`{name}` must be text")
    user, groups = asked.get("user"), asked.get("groups")
    if not user:
        raise UsageError("`user` is missing: say who asks")
    if groups is not None and not (isinstance(groups, list) and all(isinstance(group, str) for group in groups)):
        raise UsageError("`groups` must be a list of texts")
    known = groups_of(user) if groups is None else tuple(groups)
    if not asked.get("verb"):
        raise UsageError("`verb` is missing")
    if asked.get("path"):
        return ApiRequest(user, known, asked["verb"], path=asked["path"])
    if not asked.get("resource"):
        raise UsageError("`resource` or `path` is missing")
    fields = (asked.get(name) or "" for name in ("group", "resource", "subresource", "name", "namespace"))
    return ApiRequest(user, known, asked["verb"], *fields)


def request_of_fields(fields: Mapping[str, Any]) -> ApiRequest:
    """The request of a question with `can` or `whoCan`: words of the command line, or the same as a list. Raises UsageError."""
    asked, who = fields.get("can"), fields.get("whoCan")
    if asked is not None and who is not None:
        raise UsageError("`can` asks for one user, `whoCan` for everybody: say one of them")
    words, name = (asked, "can") if who is None else (who, "whoCan")
    words = words.split() if isinstance(words, str) else words
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise UsageError(f"`{name}` must be text, as in `list pods`")
    user, groups, namespace = fields.get("as"), fields.get("asGroups") or [], fields.get("namespace")
    if not isinstance(groups, list) or not all(isinstance(group, str) for group in groups):
        raise UsageError("`asGroups` must be a list of texts")
    if not isinstance(user or "", str) or not isinstance(namespace or "", str):
        raise UsageError("`as` and `namespace` must be text")
    if who is None and user is None:
        raise UsageError("`as` is missing: say who asks (`sa/NAMESPACE/NAME`)")
    if who is not None and user is not None:
        raise UsageError("`whoCan` asks for everybody: `as` has no place there")
    caller, known = caller_of(user, groups, namespace, ()) if user else ("", ())
    return request_of(words, caller, known, namespace, fields.get("allNamespaces") is True, Resources())[0]
