"""Conditions of a proxy in the words of a policy."""

from __future__ import annotations

import re
from collections.abc import Mapping

from meshcheck.model.pattern import pattern
from meshcheck.model.proxy_config import All, Condition, Leaf, Not

_NAMESPACE = pattern(r"\.\*/ns/(.*)/\.\*")
_ACCOUNT = pattern(r"spiffe://\.\+/ns/(.*)/\(\.\+/\|\)sa/(.*)\(/\.\+\)\?")
_FIELDS = {
    "header :method": "methods", "header :authority": "hosts", "path": "paths", "port": "ports", "sni": "connection.sni",
    "source address": "ipBlocks", "client address": "remoteIpBlocks", "destination address": "destination.ip",
    "claim iss": "requestPrincipals", "claim sub": "requestPrincipals",
    "claim aud": "request.auth.audiences", "claim azp": "request.auth.presenter",
}  # fmt: skip


def fields_of(condition: Condition) -> Mapping[tuple[str, bool], frozenset[str]]:
    """The values of each field, by its name and whether it is negated, wherever in the condition they stand."""
    found: dict[tuple[str, bool], set[str]] = {}

    def collect(part: Condition, negated: bool) -> None:
        if isinstance(part, Leaf):
            name, text = leaf_words(part)
            found.setdefault((name, negated), set()).add(text)
        elif isinstance(part, Not):
            collect(part.part, not negated)
        elif isinstance(part, All) and (pair := _principal(part)):
            found.setdefault(("requestPrincipals", negated), set()).add(pair)
            for inner in part.parts:
                if not (isinstance(inner, Leaf) and inner.what in ("claim iss", "claim sub")):
                    collect(inner, negated)
        else:
            for inner in part.parts:
                collect(inner, negated)

    collect(condition, False)
    return {key: frozenset(values) for key, values in found.items()}


def _principal(part: All) -> str | None:
    """`ISSUER/SUBJECT` of the pair of claims that a request principal becomes."""
    sides = {leaf.what: leaf_words(leaf)[1] for leaf in part.parts if isinstance(leaf, Leaf) and leaf.what in ("claim iss", "claim sub")}
    return f"{sides['claim iss']}/{sides['claim sub']}" if len(sides) == 2 else None


def leaf_words(leaf: Leaf) -> tuple[str, str]:
    """The field of a policy and its value that would make a leaf."""
    if leaf.what == "peer":
        return _peer(leaf)
    name = _FIELDS.get(leaf.what) or leaf.what
    if name.startswith("header "):
        name = f"request.headers[{name[7:]}]"
    elif name.startswith("claim "):
        name = "request.auth.claims" + "".join(f"[{key}]" for key in name[6:].split("/"))
    how = leaf.how.removeprefix("list ").removesuffix(" ignoring case")
    if leaf.what == "path" and how == "template":
        return name, leaf.text.replace("**", "\0").replace("*", "{*}").replace("\0", "{**}")
    return name, _written(how, leaf.text)


def _written(how: str, text: str) -> str:
    if how == "present" or (how == "regex" and text == ".+"):
        return "*"
    return {"prefix": f"{text}*", "suffix": f"*{text}", "regex": f"regex {text}", "contains": f"*{text}*"}.get(how, text)


def _peer(leaf: Leaf) -> tuple[str, str]:
    text = leaf.text
    if leaf.how == "regex":
        if found := _ACCOUNT.fullmatch(text):
            return "serviceAccounts", f"{_plain(found[1])}/{_plain(found[2])}"
        if found := _NAMESPACE.fullmatch(text):
            return "namespaces", _plain(found[1].replace(".*", "*"))
        if text.startswith("spiffe://.*"):
            return "principals", "*" + _plain(text.removeprefix("spiffe://.*"))
    if leaf.how == "prefix" and re.fullmatch("spiffe://[^/]*/?", text):
        return "trustDomains", text.removeprefix("spiffe://").rstrip("/") or "*"
    return "principals", _written(leaf.how, text.removeprefix("spiffe://"))


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)
