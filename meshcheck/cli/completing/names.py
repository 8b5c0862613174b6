"""Names of objects for completion: from the files of the command line, or from the cluster. Quick, and silent when it cannot.

Kinds are asked of a cluster through kubectl, which is there where a plugin runs, knows every way to log in, and starts faster than a client
in Python. Names are all that is read; nothing is decoded or judged.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from typing import Any

from meshcheck.cli.login_options import FLAGS
from meshcheck.decode.registry import bucket_of
from meshcheck.model.record import NamedTuple

SWITCHES = tuple(flag.option for flag in FLAGS if not flag.metavar)
SECONDS = 2.0
"""Nobody waits longer for the Tab key."""
_KINDS = "namespaces,deployments,statefulsets,daemonsets,jobs,cronjobs,pods,services,serviceaccounts,ingresses"


class Name(NamedTuple):
    """One object, as far as completion needs it."""

    kind: str
    namespace: str
    name: str
    workload: bool = False
    accounts: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    hosts: tuple[str, ...] = ()
    users: tuple[str, ...] = ()

    @property
    def slashed(self) -> str:
        """`NAMESPACE/NAME`."""
        return f"{self.namespace}/{self.name}"


def names_of(words: Sequence[str]) -> list[Name]:
    """The objects of the sources that a command line names; none when they cannot be read."""
    paths = list(values_of(words, ("-f", "--filename")))
    values = _of_files(paths, list(values_of(words, ("-k", "--kustomize")))) if _has_files(words) else _of_cluster(words)
    default = next(values_of(words, ("-n", "--namespace")), "default")
    return [name for value in values if (name := _name(value, default)) is not None]


def _has_files(words: Sequence[str]) -> bool:
    return any(next(values_of(words, names), None) for names in (("-f", "--filename"), ("-k", "--kustomize"), ("--helm",), ("--snapshot",)))


def values_of(words: Sequence[str], names: Sequence[str]) -> Iterator[str]:
    """The values of an option, in the forms `-o V`, `--option V` and `--option=V`."""
    for number, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name in names:
            if equals:
                yield value
            elif number + 1 < len(words):
                yield words[number + 1]


def _of_files(paths: Sequence[str], folders: Sequence[str]) -> list[dict[str, Any]]:
    from meshcheck.load.read import Reading

    reading = Reading()
    for path in paths:
        if path != "-":
            reading.add_path(_home(path))
    for folder in folders:
        from meshcheck.load.render import kustomize

        reading.add_text(folder, kustomize(_home(folder)))
    return [document.value for document in reading.documents]


def _home(path: str) -> str:
    """Shells leave `~` as it is where somebody has only typed it."""
    from os.path import expanduser

    return expanduser(path)


def _of_cluster(words: Sequence[str]) -> list[dict[str, Any]]:
    import json

    namespaced = any(True for _ in values_of(words, ("-n", "--namespace")))
    text = kubectl(words, "get", _KINDS, "-o", "json", "--ignore-not-found", *(() if namespaced else ("-A",)))
    items = json.loads(text).get("items") if text else None
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def kubectl(words: Sequence[str], *command: str) -> str:
    """What kubectl prints, with the options of the command line that are its own; empty when it fails or takes too long."""
    program = shutil.which("kubectl")
    if program is None:
        return ""
    given = [part for option in _asked() for value in values_of(words, (option,)) for part in (option, value)]
    given += [option for option in SWITCHES if option in words]
    try:
        done = subprocess.run(
            [program, *command, *given, "--request-timeout", f"{SECONDS:.0f}s"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=SECONDS, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout  # what could be listed, also where something else could not


def _asked() -> Iterator[str]:
    """kubectl's own options that take a value: they go with the question."""
    yield from ("-n", "--namespace", "-s", *(flag.option for flag in FLAGS if flag.metavar))


def _name(value: dict[str, Any], default: str) -> Name | None:
    kind, meta, spec = value.get("kind"), _map(value.get("metadata")), _map(value.get("spec"))
    name = meta.get("name")
    if not isinstance(kind, str) or not isinstance(name, str):
        return None
    namespace = meta.get("namespace") if isinstance(meta.get("namespace"), str) else default
    workload = bucket_of(str(value.get("apiVersion")), kind) == "Workload" and not (kind == "Pod" and meta.get("ownerReferences"))
    return Name(
        kind,
        "" if kind in ("Namespace", "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition") else str(namespace),
        name,
        workload,
        accounts=tuple(_accounts(kind, name, spec)) if workload or kind == "ServiceAccount" else (),
        ports=tuple(port["port"] for port in _maps(spec.get("ports")) if isinstance(port.get("port"), int)),
        hosts=tuple(_hosts(kind, spec)),
        users=tuple(str(s.get("name")) for s in _maps(value.get("subjects")) if s.get("kind") == "User"),
    )


def _accounts(kind: str, name: str, spec: dict[str, Any]) -> Iterator[str]:
    if kind == "ServiceAccount":
        yield name
        return
    inner = _map(_map(_map(spec.get("jobTemplate")).get("spec") or spec).get("template")).get("spec")
    yield str(_map(inner or spec).get("serviceAccountName") or "default")


def _hosts(kind: str, spec: dict[str, Any]) -> Iterator[str]:
    if kind == "Ingress":
        found: Any = [rule.get("host") for rule in _maps(spec.get("rules"))]
    elif kind == "VirtualService":
        found = spec.get("hosts")
    else:
        found = spec.get("hostnames") if kind.endswith("Route") else ()
    yield from (host for host in found or () if isinstance(host, str) and host and "*" not in host)


def _map(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _maps(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
