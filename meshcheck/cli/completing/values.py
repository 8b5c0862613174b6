"""What each kind of value can be. The kind is the option's metavar: what `--help` prints is what completion goes by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from meshcheck.cli.completing.names import names_of
from meshcheck.model.record import NamedTuple

if TYPE_CHECKING:
    from meshcheck.load.cluster.kubeconfig import Kubeconfig


class Typed(NamedTuple):
    """What stands at the cursor, the words before it (behind the command), and its place among those that are no options."""

    current: str
    before: tuple[str, ...]
    position: int


def namespaces(typed: Typed) -> Iterable[str]:
    """Namespaces, also behind a comma."""
    done, comma, _ = typed.current.rpartition(",")
    found = {name.namespace for name in names_of(typed.before)} | {n.name for n in names_of(typed.before) if n.kind == "Namespace"}
    return sorted(done + comma + name for name in found if name)


def callers(typed: Typed) -> Iterable[str]:
    """`NAMESPACE/WORKLOAD` of all workloads, service accounts and pods once their prefix is typed, and the outside."""
    kind, slash, _ = typed.current.partition("/")
    found = names_of(typed.before)
    if slash and kind == "sa":
        return sorted({f"sa/{name.namespace}/{account}" for name in found for account in name.accounts})
    if slash and kind in ("pod", "po"):
        return sorted(f"{kind}/{name.namespace}/{name.name}" for name in found if name.kind == "Pod")
    if slash and (full := _SHORT.get(kind)):
        return sorted(f"{kind}/{name.namespace}/{name.name}" for name in found if name.kind == full)
    return [*sorted({name.slashed for name in found if name.workload}), "external"]


_SHORT = {"deploy": "Deployment", "deployment": "Deployment", "sts": "StatefulSet", "ds": "DaemonSet", "job": "Job", "cronjob": "CronJob"}


def targets(typed: Typed) -> Iterable[str]:
    """`NAMESPACE/SERVICE:PORT`; URLs once a scheme is typed: hosts of Services, and of routes from outside."""
    found = names_of(typed.before)
    scheme, mark, _ = typed.current.partition("://")
    services = sorted((name for name in found if name.kind == "Service"), key=lambda name: name.slashed)
    if mark or typed.current.startswith("http"):
        start = f"{scheme if mark else 'http'}://"
        own = [f"{start}{s.name}.{s.namespace}{'' if port == 80 else f':{port}'}/" for s in services for port in s.ports]
        return [*own, *sorted({f"{start}{host}/" for name in found for host in name.hosts})]
    return [f"{s.slashed}:{port}" for s in services for port in s.ports]


def gateways(typed: Typed) -> Iterable[str]:
    """Gateways, and Services that they may have."""
    return sorted({name.slashed for name in names_of(typed.before) if name.kind in ("Gateway", "Service", "Ingress")})


def focus(typed: Typed) -> Iterable[str]:
    """Namespaces and workloads."""
    found = names_of(typed.before)
    return sorted({name.namespace for name in found if name.namespace} | {name.slashed for name in found if name.workload})


def who(typed: Typed) -> Iterable[str]:
    """Service accounts, and the users and groups that bindings name."""
    found = names_of(typed.before)
    accounts = {f"sa/{name.namespace}/{account}" for name in found for account in name.accounts}
    return sorted(accounts | {f"user/{user}" for name in found for user in name.users})


def methods(_: Typed) -> Iterable[str]:
    """Methods of HTTP."""
    return ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def verbs_and_resources(typed: Typed) -> Iterator[str]:
    """The verb, then the resource, as the API server's RBAC knows them."""
    from meshcheck.model.api_resources import VERBS, known

    if typed.position == 0:
        yield from sorted(VERBS)
    elif typed.position == 1:
        yield from sorted({str(resource) for resource in known()})


def contexts(typed: Typed) -> Iterable[str]:
    """Contexts of the kubeconfig."""
    return _kubeconfig(typed).contexts


def clusters(typed: Typed) -> Iterable[str]:
    """Clusters of the kubeconfig."""
    return _kubeconfig(typed).clusters


def users(typed: Typed) -> Iterable[str]:
    """Users of the kubeconfig."""
    return _kubeconfig(typed).users


def _kubeconfig(typed: Typed) -> Kubeconfig:
    from meshcheck.cli.completing.names import values_of
    from meshcheck.load.cluster.access import Login
    from meshcheck.load.cluster.kubeconfig import read_kubeconfig

    return read_kubeconfig(Login(kubeconfig=next(values_of(typed.before, ("--kubeconfig",)), None)))


def rules(typed: Typed) -> Iterable[str]:
    """Codes of rules of lint, also behind a comma; nothing of the rules is imported."""
    from meshcheck.lint.registry import modules

    done, comma, _ = typed.current.rpartition(",")
    return [done + comma + code for code in modules()]


FILES = frozenset(["PATH", "FILE", "DIR", "CHART", "OLD", "NEW", "FILE|POD", "FOLDER", "BASE"])
"""Kinds for which the shell offers files."""
MAKERS: Mapping[str, Callable[[Typed], Iterable[str]]] = {
    "NS": namespaces, "NS[,NS]": namespaces,
    "CALLER": callers, "TARGET": targets,
    "NAMESPACE/NAME[:PORT]": gateways, "NAMESPACE[/WORKLOAD]": focus,
    "WHO": who, "METHOD": methods, "VERB RESOURCE [NAME]": verbs_and_resources, "CONTEXT": contexts,
    "CLUSTER": clusters, "USER": users,
    "RULES": rules, "RULE": rules,
}  # fmt: skip
