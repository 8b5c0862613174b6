"""A running proxy beside the manifests, as JSON (`meshcheck/proxy/v1`; in a trace under `proxy`)."""

from __future__ import annotations

from typing import Any

from meshcheck.model.objects import dotted
from meshcheck.model.trace import Trace
from meshcheck.render.proxy_text import VERDICTS, disagrees
from meshcheck.render.trace_json import Locate, place_json
from meshcheck.semantics.running_proxy.comparison import Comparison
from meshcheck.semantics.running_proxy.differences import Difference

SCHEMA = "meshcheck/proxy/v1"


def proxy_json(comparison: Comparison, locate: Locate, trace: Trace | None = None) -> dict[str, Any]:
    """One proxy."""
    proxy, said = comparison.proxy, comparison.answer
    out: dict[str, Any] = {
        "source": proxy.source,
        "node": proxy.node or None,
        "pod": {"namespace": proxy.namespace, "name": proxy.pod} if proxy.pod else None,
        "workload": {"namespace": comparison.workload.namespace, "name": comparison.workload.name},
        "port": comparison.port,
        "istio_version": proxy.version or None,
        "updated": proxy.updated or None,
        "differences": [_difference(difference, locate) for difference in comparison.differences],
    }
    if trace is not None:
        out["verdict"] = VERDICTS[said.allowed] if said else None
        out["reason"] = said.words if said else "the call does not get to it"
        out["policy_id"] = said.policy_id if said else None
        out["as_the_manifests"] = None if said is None or said.allowed is None else not disagrees(comparison, trace)
    return out


def _difference(difference: Difference, locate: Locate) -> dict[str, Any]:
    meta = difference.meta
    return {
        "kind": difference.kind,
        "message": difference.message,
        "object": meta.ref.as_json() if meta else None,
        "field": dotted(difference.field) if difference.field else None,
        "policy_id": difference.policy_id,
        "chains": list(difference.chains),
        "place": place_json(locate(meta.origin, difference.field)) if meta else None,
    }
