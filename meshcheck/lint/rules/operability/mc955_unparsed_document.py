"""A document could not be read, so nothing that it says is part of any answer.

## Finds

YAML and JSON that does not parse, templates that were not rendered, documents without `kind` or `apiVersion`, files that cannot be opened.

## Why it matters

A verdict that leaves out a policy is a verdict about another mesh. `kubectl apply` would stop at the document, too.

## Avoid

```yaml
metadata: {name: {{ .Values.name }}}
```

## Prefer

```sh
helm template chart | meshcheck lint -f -
```

## Exceptions

Files that are no manifests and look like some, such as templates of a chart: leave their folder out.

## Silent when

A file is simply no manifest (Helm values, a list of settings): neither `kind` nor `apiVersion` is there.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, rule


@rule("MC955", "unparsed-document", severity="error", needs="document")
def check(evidence: Evidence) -> Iterator[Found]:
    """Documents that reading gave up."""
    for place, reason in evidence.not_read:
        yield Found(reason, None, None, place=place, refused_by="api-server")
