"""Names, hosts and addresses of a snapshot replaced, everywhere alike, so that references still match and answers stay what they are.

What may be a name is collected first: of objects, hosts, users, subjects. Then each of these words is replaced wherever it stands as a word
of its own. Words that Kubernetes, Istio or the controllers understand stay. What redaction cannot keep the meaning of becomes a gap.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from meshcheck.load.injection import CONFIG_MAP, FIELD
from meshcheck.load.snapshot.pseudonyms import Pseudonyms
from meshcheck.load.snapshot.reserved import CONTROLLERS, NOTES, RESERVED
from meshcheck.model.cluster_kinds import cluster_kinds
from meshcheck.model.coverage import Coverage, Gap
from meshcheck.model.pattern import pattern
from meshcheck.model.record import replace

SHORTEST = 3
"""Shorter words stay: too many of them mean something else."""
_WORD = pattern(r"[A-Za-z0-9]+")
_HOST = pattern(r"\b(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}\b")
_ADDRESS = pattern(
    r"(?<![\w.-])\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?(?!\w|\.\d)"
    r"|(?<![\w.:-])[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?:/\d{1,3})?(?![\w:]|\.\d)"
)
_NAMING = frozenset(
    (
        *("serviceAccountName", "principals", "notPrincipals", "requestPrincipals", "notRequestPrincipals", "values", "notValues", "host"),
        *("hosts", "namespaces", "notNamespaces", "serviceAccounts", "notServiceAccounts", "user", "hostname", "hostnames", "externalName"),
    )
)
_KEYED = frozenset(["labels", "matchLabels", "selector", "sourceLabels", "headers", "withoutHeaders", "queryParams"])
"""Maps whose keys are words of the user's, not of the API."""
UNKEPT = "were changed by redaction, which does not keep the meaning of {}"


class Redaction:
    """Redacts the objects of one snapshot. `names`: pseudonym → name, for whoever keeps the key."""

    def __init__(self, objects: Iterable[dict[str, Any]], key: bytes | None = None) -> None:
        self.objects = [_plain(value) for value in objects]
        self.key = key or secrets.token_bytes(32)
        self.words, self.beginnings = _collected(self.objects)
        self.unkept: dict[Gap, None] = {}
        every = {word for value in self.objects for text in _texts(value) for word in _WORD.findall(text)}
        for number in range(256):  # a pseudonym that is a word of its own would mean that word
            self.pseudonyms = Pseudonyms(self.key + bytes([number]))
            made = {self.pseudonyms.word(word): word for word in self.words}
            if not made.keys() & (RESERVED | (every - self.words)):
                break
        self.names = made

    def done(self) -> list[dict[str, Any]]:
        """The objects, redacted."""
        out = []
        for value in self.objects:
            self._look_for_what_breaks(value)
            out.append(self._value(value))
        return out

    def coverage(self, coverage: Coverage | None) -> Coverage | None:
        """The coverage with names replaced, and with what redaction does not keep."""
        if coverage is None:
            return None
        gaps = tuple(
            replace(g, namespace=g.namespace and self.text(g.namespace), reason=self.text(g.reason), others=tuple(map(self.text, g.others)))
            for g in coverage.gaps
        )
        return Coverage(coverage.read, (*gaps, *self.unkept), frozenset())

    def text(self, text: str) -> str:
        """A text with names, hosts and addresses replaced; also that of a question."""
        return _WORD.sub(self._one, _ADDRESS.sub(self._at, text))

    def _at(self, match: re.Match[str]) -> str:
        try:
            return self.pseudonyms.address(match[0])
        except ValueError:
            return match[0]

    def _one(self, match: re.Match[str]) -> str:
        word = match[0]
        if word in self.words or (match.string[match.end() : match.end() + 1] == "*" and word in self.beginnings):
            return self.pseudonyms.word(word)
        return word

    def _value(self, value: Any, field: str = "") -> Any:
        if isinstance(value, dict):
            return {self.text(key) if field in _KEYED or field == "data" else key: self._value(item, key) for key, item in value.items()}
        if isinstance(value, list):
            return [self._value(item, field) for item in value]
        return self.text(value) if isinstance(value, str) and field not in ("apiVersion", "kind", "creationTimestamp") else value

    def _look_for_what_breaks(self, value: Mapping[str, Any]) -> None:
        """Regular expressions, and patterns that begin inside a name: their meaning does not survive."""
        what = None
        for key, text in _fields(value):
            if key == "regex" or (key == "type" and text == "RegularExpression") or _is_regex_of_cilium(value, key, text):
                what = "regular expressions"
            elif any(word.endswith(end) for end in re.findall(r"\*([a-z0-9]+)", text) if end not in self.words for word in self.words):
                what = f"a pattern that begins inside a name ({self.text(text)})"
        kind = _KINDS.get((value["apiVersion"].rpartition("/")[0], value["kind"]))
        if what is not None and kind is not None and kind.heading:
            namespace = value["metadata"].get("namespace")
            where = self.text(namespace) if namespace else None
            self.unkept[Gap(kind.kind, kind.heading, where, UNKEPT.format(what), (), kind.namespaced)] = None


def _is_regex_of_cilium(value: Mapping[str, Any], key: str, text: str) -> bool:
    """Fields of Cilium's HTTP rules are regular expressions; one without any sign of them keeps its meaning."""
    return value["apiVersion"].startswith("cilium.io/") and key in ("path", "method", "host") and not re.fullmatch(r"[\w/ -]*", text)


_KINDS = {(kind.group, kind.kind): kind for kind in cluster_kinds()}


def _collected(objects: Iterable[Mapping[str, Any]]) -> tuple[frozenset[str], frozenset[str]]:
    """The words that are replaced, and beginnings of them that stand before a star."""
    found: set[str] = set()
    texts: list[str] = []
    for value in objects:
        meta = value["metadata"]
        named = [meta["name"], meta.get("namespace") or ""]
        for key, text in _fields(value):
            texts.append(text)
            if key in _NAMING or (key == "name" and value["kind"].endswith("Binding")):
                named.append(text)
            named += _HOST.findall(text)
        for text in named:
            found.update(re.findall(r"[a-z0-9]+", _ADDRESS.sub("", text)))
    words = {word for word in found if _may_go(word)}
    stars = {word for text in texts for word in re.findall(r"([a-z0-9]+)\*", text)}
    beginnings = {star for star in stars if star not in RESERVED and any(word.startswith(star) for word in words)}
    every = {word for text in texts for word in re.findall(r"[a-z0-9]+", text)}
    words |= {word for word in every if _may_go(word) and any(word.startswith(star) for star in beginnings)}
    return frozenset(words), frozenset(beginnings)


def _may_go(word: str) -> bool:
    return len(word) >= SHORTEST and not word.isdigit() and word not in RESERVED


def _plain(value: Mapping[str, Any]) -> dict[str, Any]:
    """An object without what no answer needs and nobody can redact: images, arguments, variables, foreign annotations, files."""
    out: dict[str, Any] = _without_notes(value)
    if out["kind"] == "ConfigMap":
        data = out.get("data") or {}
        kept = {key: text for key, text in data.items() if _is_read(out["metadata"]["name"], key, text)}
        hidden = dict.fromkeys([*(out.get("binaryData") or {}), *(key for key in data if key not in kept)], "")
        out = {**{key: item for key, item in out.items() if key != "binaryData"}, "data": kept}
        if hidden:
            out["binaryData"] = hidden
    return out


def _is_read(name: str, key: str, text: Any) -> bool:
    return key == "mesh" or (key == FIELD and name.startswith(CONFIG_MAP)) or "nginx" in name or _is_nginx(text)


def _is_nginx(text: Any) -> bool:
    return isinstance(text, str) and re.search(r"^\s*(?:server|http|location\s.*)\s*\{", text, re.MULTILINE) is not None


def _without_notes(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_notes(item) for item in value]
    if not isinstance(value, dict):
        return value
    out = {key: _without_notes(item) for key, item in value.items()}
    if isinstance(out.get("annotations"), dict):
        out["annotations"] = {key: text for key, text in out["annotations"].items() if key.partition("/")[0].endswith(NOTES)}
    image = out.get("image")
    if isinstance(image, str) and "name" in out:  # a container
        known = next((word for word in CONTROLLERS if word in image), None)
        out["image"] = image.rpartition("/")[2] if known else "image"
        if known is None:
            for key in ("args", "command", "env", "envFrom"):
                out.pop(key, None)
    return out


def _fields(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _fields(item, name)
    elif isinstance(value, list):
        for item in value:
            yield from _fields(item, key)
    elif isinstance(value, str):
        yield key, value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str):
        yield value
