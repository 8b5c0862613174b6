"""What looks like a secret leaves an object before it is written down, and the object says that something was there.

A text of a ConfigMap that holds one becomes bytes, which no answer reads; a variable of a container becomes a reference to a Secret. So
what was taken is unknown to whoever reads the snapshot, and never something else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from meshcheck.model.pattern import pattern

REMOVED = "(removed)"
_TOKENS = pattern(
    r"eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"  # a JWT
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_\w{30,}|\bgithub_pat_\w{30,}|\bglpat-[\w-]{20,}|\bxox[abprs]-[\w-]{10,}|\bAIza[\w-]{35}"
    r"|(?<=://)[^/\s:@\"']+:[^/\s@\"']+(?=@)"  # user and password in a URL
    r"|(?i:(?<=bearer )|(?<=basic ))[\w.~+/=-]{16,}",
    re.DOTALL,
)
_NAME = r"(?:pass(?:word|wd|phrase)?|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?|client[_-]?secret|dsn)"
_SECRET_NAME = pattern(rf"(?i)(?:^|[^a-z]){_NAME}s?(?:[^a-z]|$)|_{_NAME}$|(?-i:[a-z](?:Password|Secret|Token|Key)$)")
_ASSIGNED = pattern(rf"(?im)((?:^|[\s\"'{{,;&?-])[\w.-]*{_NAME}[\"']?\s*[:=]\s*)(?!\s|\$|\{{|[\"']?(?:true|false|null|\d+)?[\"']?\s*$)(\"[^\"\n]+\"|'[^'\n]+'|[^\s\"',;&]+)")  # fmt: skip  # noqa: E501


def without_secrets(value: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """An object without what looks like a secret, and the fields (dotted) from which something was taken. Not for Secrets themselves."""
    taken: list[str] = []
    out: dict[str, Any] = _clean(value, "", taken)
    if value.get("kind") == "ConfigMap":
        _config_map(out, value, taken)
    return out, taken


def looks_secret(text: str) -> bool:
    """Whether a text holds a token, a key or a password."""
    return bool(_TOKENS.search(text) or _ASSIGNED.search(text))


def _config_map(out: dict[str, Any], value: Mapping[str, Any], taken: list[str]) -> None:
    """Files with secrets become bytes, so that nobody takes what is left of them for the file."""
    data = value.get("data")
    if not isinstance(data, dict):
        return
    hidden = [key for key, text in data.items() if isinstance(text, str) and (looks_secret(text) or _SECRET_NAME.search(key))]
    if hidden:
        out["data"] = {key: text for key, text in data.items() if key not in hidden}
        out["binaryData"] = {**(value.get("binaryData") or {}), **dict.fromkeys(hidden, "")}
        taken[:] = [field for field in taken if not field.startswith("data.")] + [f"data.{key}" for key in hidden]
    if isinstance(out.get("binaryData"), dict):
        out["binaryData"] = dict.fromkeys(out["binaryData"], "")


def _clean(value: Any, field: str, taken: list[str]) -> Any:
    if isinstance(value, dict):
        if field.endswith(".env[]"):
            return _variable(value, field, taken)
        return {key: _clean(item, f"{field}.{key}" if field else str(key), taken) for key, item in value.items()}
    if isinstance(value, list):
        return [_clean(item, f"{field}[]", taken) for item in value]
    if not isinstance(value, str):
        return value
    found = _TOKENS.sub(REMOVED, value)
    if field.endswith((".args[]", ".command[]")) or ".annotations." in field:
        found = _ASSIGNED.sub(lambda m: m[1] + REMOVED, found)
    if found != value:
        taken.append(field)
    return found


def _variable(variable: Mapping[str, Any], field: str, taken: list[str]) -> Any:
    """A variable of a container: where its name or value is that of a secret, it comes from a Secret that is not there."""
    name, text = str(variable.get("name") or ""), variable.get("value")
    if isinstance(text, str) and text and (_SECRET_NAME.search(name) or looks_secret(text)):
        taken.append(f"{field}.{name}")
        return {"name": name, "valueFrom": {"secretKeyRef": {"name": "removed-from-snapshot", "key": name}}}
    return dict(variable)
