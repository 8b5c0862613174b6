"""An EnvoyFilter changes the filters that decide who gets in, so answers from the manifests alone are uncertain.

## Finds

Patches of EnvoyFilters that match, insert or replace the filters for RBAC, tokens, external authorization or CORS.

## Why it matters

What a proxy decides is then not what the policies say. meshcheck answers `unknown` for calls through such proxies; a reviewer should look
at the filter by hand.

## Avoid

```yaml
kind: EnvoyFilter
spec:
  configPatches:
  - applyTo: HTTP_FILTER
    patch: {operation: INSERT_BEFORE, value: {name: envoy.filters.http.ext_authz}}
```

## Prefer

```yaml
kind: AuthorizationPolicy
spec: {action: CUSTOM, provider: {name: my-authorizer}}
```

## Exceptions

Settings of these filters that Istio's own kinds do not have.

## Silent when

The patches touch other filters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, rule
from meshcheck.model.objects import Path

_FILTERS = {
    "rbac": "authorization",
    "jwt_authn": "tokens",
    "ext_authz": "external authorization",
    "cors": "CORS",
    "istio_authn": "peer authentication",
    "oauth2": "login by OAuth",
    "basic_auth": "passwords",
    "api_key_auth": "API keys",
}
_PREFIXES = ("envoy.filters.http.", "envoy.filters.network.", "envoy.", "")


@rule("MC957", "envoy-filter-touches-auth", severity="warning", needs="document", audience="security")
def check(evidence: Evidence) -> Iterator[Found]:
    """Patches of the filters that decide."""
    for ref, origin, value in evidence.written("EnvoyFilter"):
        spec = value.get("spec")
        patches = spec.get("configPatches") if isinstance(spec, dict) else None
        for n, patch in enumerate(patches if isinstance(patches, list) else ()):
            touched = next(_touched(patch, ("spec", "configPatches", n)), None) if isinstance(patch, dict) else None
            if touched is not None:
                path, name, what = touched
                yield Found(f"changes `{name}` ({what}) in proxies: what policies say of calls there is not certain", ref, origin, path)


def _touched(patch: Mapping[str, Any], path: Path) -> Iterator[tuple[Path, str, str]]:
    """(place, name of the filter, what it decides): what is put in, then what is matched and changed."""
    for at in (("patch", "value", "name"), ("match", "listener", "filterChain", "filter", "subFilter", "name"),
               ("match", "listener", "filterChain", "filter", "name")):  # fmt: skip
        if at[0] == "match" and str(_at(patch, ("patch", "operation"))).startswith("INSERT"):
            continue  # it only says beside which filter the new one goes
        name = _at(patch, at)
        if isinstance(name, str) and (what := _decides(name)) is not None:
            yield (*path, *at), name, what


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _decides(name: str) -> str | None:
    return next((_FILTERS[name.removeprefix(p)] for p in _PREFIXES if name.startswith(p) and name.removeprefix(p) in _FILTERS), None)
