"""An object is written in an API version that is not served any more, or that has a successor.

## Finds

Kinds of Kubernetes, Istio and Gateway API in a version that no current API server serves (`networking.k8s.io/v1beta1` for an Ingress),
which is refused; and, with low confidence, versions beside which a newer one is served (`networking.istio.io/v1alpha3`).

## Why it matters

A version that is not served stops the pipeline at this document. An older one works until the day on which it is removed.

## Avoid

```yaml
apiVersion: networking.k8s.io/v1beta1
kind: Ingress
```

## Prefer

```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
```

## Exceptions

Clusters that are older than the version.

## Silent when

The kind is not one that meshcheck knows.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.decode.admission import Problem
from meshcheck.decode.admission.kinds import KINDS
from meshcheck.lint.evidence import Evidence, reference
from meshcheck.lint.rule import Found, rule


def _claims(kind: str, problem: Problem) -> bool:
    """The refusal of a version that is not served."""
    return problem.path == ("apiVersion",) and "in version" in problem.message


@rule("MC120", "old-api-version", severity="error", needs="document", claims=_claims)
def check(evidence: Evidence) -> Iterator[Found]:
    """Versions that have a successor."""
    for document in evidence.documents:
        ref = reference(document.value)
        group, _, version = ref.api_version.rpartition("/")
        kind = KINDS.get((group, ref.kind))
        if kind is not None and version in kind.versions[1:]:
            words = f"`{ref.api_version}` has a successor: `{group}/{kind.versions[0]}`"
            yield Found(words, ref, document.origin, ("apiVersion",), severity="info", confidence="low")
