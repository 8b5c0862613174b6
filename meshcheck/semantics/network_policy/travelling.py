"""What travels over a connection, for policies that look inside.

The names that a resolver asks for: kubernetes/kubernetes:pkg/kubelet/network/dns/dns.go (resolv.conf of pods).
"""

from __future__ import annotations

from collections.abc import Mapping

from meshcheck.model.record import NamedTuple

HTTP, DNS, TLS, OTHER = "http", "dns", "tls", "other"
_DOTS = 5
"""Names with fewer dots are looked up in the search domains first (`ndots:5`)."""


class Request(NamedTuple):
    """What travels over a connection. `kind`: http, dns, tls (nobody on the way can look inside), other."""

    kind: str
    method: str = ""
    path: str = ""
    """With its query."""
    authority: str = ""
    headers: Mapping[str, tuple[str, ...]] = {}
    names: tuple[str, ...] = ()
    """What is asked of DNS; the last one is the name that has an answer."""


def lookups(host: str, namespace: str, domain: str, found: str | None) -> tuple[str, ...]:
    """The names that a resolver asks for, in order; the last one is that which has an answer. `found`: the Service's full name."""
    host = host.rstrip(".") if not host.endswith(".") else host
    if host.endswith(".") or host.count(".") >= _DOTS:
        return (host.rstrip("."),)
    searched = [f"{host}.{suffix}" for suffix in (f"{namespace}.svc.{domain}", f"svc.{domain}", domain)]
    if found is not None and found in searched:
        return tuple(searched[: searched.index(found) + 1])
    return (*searched, host)
