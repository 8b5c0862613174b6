"""Whether a browser lets a page see an answer, and what its console says.

Source: the Fetch standard of WHATWG, sections "CORS check" and "CORS-preflight fetch"; the words are those of Chromium.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from meshcheck.model.pattern import pattern
from meshcheck.semantics.browser.requests import SIMPLE_METHODS

Headers = Mapping[str, str]
_TOKEN = pattern(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def origin_problem(headers: Headers, origin: str, credentials: bool) -> str | None:
    """What is wrong with an answer's Access-Control-Allow-Origin; None when it is right."""
    allowed = headers.get("access-control-allow-origin")
    if allowed is None:
        return "No 'Access-Control-Allow-Origin' header is present on the requested resource."
    if not credentials and allowed == "*":
        return None
    if allowed == "*":
        return (
            "The value of the 'Access-Control-Allow-Origin' header in the response must not be the wildcard '*' when the request's "
            "credentials mode is 'include'."
        )
    if allowed != origin:
        if "," in allowed:
            return f"The 'Access-Control-Allow-Origin' header contains multiple values '{allowed}', but only one is allowed."
        return f"The 'Access-Control-Allow-Origin' header has a value '{allowed}' that is not equal to the supplied origin."
    given = headers.get("access-control-allow-credentials")
    if credentials and given != "true":
        return (
            f"The value of the 'Access-Control-Allow-Credentials' header in the response is '{given or ''}' which must be 'true' when the "
            "request's credentials mode is 'include'."
        )
    return None


def preflight_problem(
    status: int | None, headers: Headers, origin: str, method: str, names: Sequence[str], credentials: bool
) -> str | None:
    """Why an answer to a preflight does not let the request through; None when it does."""
    start = "Response to preflight request doesn't pass access control check: "
    wrong = origin_problem(headers, origin, credentials)
    if status is not None and 300 <= status < 400:
        return "Response to preflight request doesn't pass access control check: Redirect is not allowed for a preflight request."
    if wrong is not None:
        return start + wrong
    if status is not None and not 200 <= status < 300:
        return start + "It does not have HTTP ok status."
    for name in ("Access-Control-Allow-Methods", "Access-Control-Allow-Headers"):
        if not all(_TOKEN.fullmatch(item) for item in _list(headers.get(name.lower()))):
            return f"Cannot parse {name} response header field in preflight response."
    methods = _list(headers.get("access-control-allow-methods"))
    if method not in methods and method not in SIMPLE_METHODS and (credentials or "*" not in methods):
        return f"Method {method} is not allowed by Access-Control-Allow-Methods in preflight response."
    allowed = [name.lower() for name in _list(headers.get("access-control-allow-headers"))]
    for name in names:
        covered = name in allowed or ("*" in allowed and not credentials and name != "authorization")
        if not covered:
            return f"Request header field {name} is not allowed by Access-Control-Allow-Headers in preflight response."
    return None


def _list(value: str | None) -> list[str]:
    return [item.strip() for item in (value or "").split(",") if item.strip()]


def console(url: str, origin: str, problem: str) -> str:
    """The line of the browser's console."""
    return f"Access to fetch at '{url}' from origin '{origin}' has been blocked by CORS policy: {problem}"
