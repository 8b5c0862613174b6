"""A proxy makes TLS and does not look at the server's certificate.

## Finds

DestinationRules with TLS mode SIMPLE or MUTUAL and `insecureSkipVerify: true`.

## Why it matters

The connection is encrypted, to anybody: whoever answers in place of the server reads and changes everything. (Without `caCertificates`
Istio verifies against the system's certificates since 1.21, so leaving it out is no finding.)

## Avoid

```yaml
tls: {mode: SIMPLE, insecureSkipVerify: true}
```

## Prefer

```yaml
tls: {mode: SIMPLE, sni: api.example.com, subjectAltNames: [api.example.com]}
```

## Exceptions

A server whose certificate nobody can verify, in a network that is trusted.

## Silent when

Never: one document is enough.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.objects import Path

_EMPTY: Mapping[str, Any] = {}


@rule("MC410", "no-ca-certificates", severity="warning", needs="document", audience="security")
def check(evidence: Evidence) -> Iterator[Found]:
    """TLS to whoever answers."""
    for one in evidence.of("DestinationRule"):
        spec = evidence.raw(one.meta).get("spec") or _EMPTY
        policies: list[tuple[Path, Mapping[str, Any]]] = [(("spec", "trafficPolicy"), spec.get("trafficPolicy") or _EMPTY)]
        for n, subset in enumerate(spec.get("subsets") or ()):
            policies.append((("spec", "subsets", n, "trafficPolicy"), subset.get("trafficPolicy") or _EMPTY))
        for at, policy in policies:
            for field, tls in _blocks(at, policy):
                if tls.get("mode") in ("SIMPLE", "MUTUAL") and tls.get("insecureSkipVerify") is True:
                    message = f"TLS to `{one.host}` takes any certificate: whoever answers in its place is believed"
                    yield found(one.meta, (*field, "insecureSkipVerify"), message)


def _blocks(at: Path, policy: Mapping[str, Any]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """The `tls` of a traffic policy and of its ports."""
    yield (*at, "tls"), policy.get("tls") or _EMPTY
    for n, item in enumerate(policy.get("portLevelSettings") or ()):
        yield (*at, "portLevelSettings", n, "tls"), item.get("tls") or _EMPTY
