"""What a refusal is worth where not all roles and bindings of a cluster could be read: what nobody has seen may grant it."""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.model.coverage import Coverage
from meshcheck.model.rbac import ApiRequest, Binding


def unread(coverage: Coverage, request: ApiRequest, lost: tuple[Binding, ...] = ()) -> tuple[str, ...]:
    """The facts that may grant a request although nothing that was read does. `lost`: bindings whose role was not found."""
    return tuple(dict.fromkeys(_facts(coverage, request, lost)))


def _facts(coverage: Coverage, request: ApiRequest, lost: tuple[Binding, ...]) -> Iterator[str]:
    namespace = request.namespace if request.path is None else ""
    yield from (gap.fact() for gap in coverage.lacking("ClusterRoleBinding"))
    if namespace:
        yield from (gap.fact(namespace) for gap in coverage.lacking("RoleBinding", namespace))
    for binding in lost:
        where = None if binding.role_kind == "ClusterRole" else binding.namespace
        yield from (gap.fact(where) for gap in coverage.lacking(binding.role_kind, where))
    yield from (gap.fact() for gap in coverage.lacking("ClusterRole"))  # one that aggregates rules of others
