"""Since which version of Istio fields and values of AuthorizationPolicies mean what they mean here.

Older control planes do not know a field and pass over it, so that the rest of its rule decides; what is built of that is not modelled:
a test that an older version may read otherwise is undecided. Versions are those of the first istio/api release whose CRD or proto has
the field (kubernetes/customresourcedefinitions.gen.yaml, security/v1beta1/authorization_policy.proto).
"""

from __future__ import annotations

from meshcheck.model.istio_security import Field
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.authorization.attributes import Attributes
from meshcheck.semantics.authorization.tests import WHEN, Test
from meshcheck.semantics.header_lines import values_of
from meshcheck.semantics.world.versions import Version, Versions

_FIELDS = {"serviceAccounts": (1, 25), "trustDomains": (1, 30)}
_TEMPLATES = (1, 22)
_SINGLE_LINES = (1, 30)
"""Envoy's runtime guard rbac_match_headers_individually; late patches of older releases have it as well."""
OLDEST = (1, 30)
"""No older version than this one differs from the newest."""


class Age(NamedTuple):
    """The versions of what reads a workload's policies: the control plane that translates them, the oldest proxy that applies them."""

    control_plane: Version | None
    proxy: Version | None

    def aged(self, test: Test, field: Field) -> Test:
        """A test as these versions understand it: the same, or one that is undecided."""
        name = WHEN.get(field.name, field.name)
        plane, proxy = self.control_plane, self.proxy
        since = _FIELDS.get(name) or (_TEMPLATES if name == "paths" and any("{*" in value for value in field.values) else None)
        if since is not None and plane is not None and plane[:2] < since:
            what = f"path templates ({{*}}, {{**}}) in `{field.name}`" if since == _TEMPLATES else f"the field `{field.name}`"
            return Undecided(test, f"what istiod {plane} makes of {what}: it is known since {since[0]}.{since[1]}")
        if name.startswith("request.headers[") and proxy is not None and proxy[:2] < _SINGLE_LINES:
            fact = f"how the proxy, of version {proxy}, reads a header of several lines: older ones join them with a comma"
            return Undecided(test, fact, header=name[len("request.headers[") : -1].lower())
        return test


def age_of(versions: Versions) -> Age | None:
    """The age of a workload's versions; None where none is known to be too old for anything."""
    proxy = versions.proxies[0] if versions.proxies else None
    known = [version for version in (versions.control_plane, proxy) if version is not None]
    return Age(versions.control_plane, proxy) if any(version[:2] < OLDEST for version in known) else None


class Undecided(Test):
    """A test of which it is not known what an older version makes of it; with `header`, of requests that repeat that header."""

    __slots__ = ("_header", "fact")

    def __init__(self, test: Test, fact: str, header: str | None = None) -> None:
        super().__init__(test.field, test.attribute, test.http_only, test.matches, test._check, test._tell)
        self.fact, self._header = fact, header

    def holds(self, attributes: Attributes) -> bool | None:
        if self._header is None:
            return None
        found = super().holds(attributes)
        return None if len(values_of(attributes.headers, self._header) or ()) > 1 else found
