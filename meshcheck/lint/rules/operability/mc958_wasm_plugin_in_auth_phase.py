"""A plugin runs among the filters that decide who gets in, so answers from the manifests alone are uncertain.

## Finds

WasmPlugins and TrafficExtensions with `phase: AUTHN` or `phase: AUTHZ`.

## Why it matters

The plugin may admit, refuse or change requests before or beside the policies of Istio. meshcheck answers `unknown` for calls through such
proxies; a reviewer should know that it is there.

## Avoid

```yaml
kind: WasmPlugin
spec: {phase: AUTHZ, url: oci://example.com/check:v1}
```

## Prefer

```yaml
kind: AuthorizationPolicy
spec: {action: CUSTOM, provider: {name: my-authorizer}}
```

## Exceptions

Checks that no kind of Istio can do.

## Silent when

The plugin runs in another phase.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, found, rule


@rule("MC958", "wasm-plugin-in-auth-phase", severity="warning", needs="document", audience="security")
def check(evidence: Evidence) -> Iterator[Found]:
    """Plugins that may decide."""
    for plugin in (*evidence.of("WasmPlugin"), *evidence.of("TrafficExtension")):
        phase = (evidence.raw(plugin.meta).get("spec") or {}).get("phase")
        if phase in ("AUTHN", "AUTHZ"):
            message = f"runs among the filters of phase {phase}: what policies say of calls there is not certain"
            yield found(plugin.meta, ("spec", "phase"), message)
