"""What can stand beside a trace: the running proxy (`--proxy-config`), who may change what decides (`--who-can-change`), versions."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from meshcheck.model.record import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshcheck.load.read import Reading
    from meshcheck.model.trace import Trace
    from meshcheck.render.style import Style
    from meshcheck.semantics.tracing.call import Arrived
    from meshcheck.semantics.world import World


class Section(NamedTuple):
    """One of them: `value` goes into the JSON of the trace as `name`; `text` and `markdown` stand beside the trace's own."""

    name: str
    value: dict[str, Any]
    text: Callable[[Style], tuple[str, str]]
    """What stands above and below the trace."""
    markdown: Callable[[], str]


def add_beside_options(parser: argparse.ArgumentParser) -> None:
    """Give a command the options that ask for it."""
    group = parser.add_argument_group("beside the trace")
    group.add_argument(
        "--proxy-config",
        metavar="FILE|POD",
        help="Envoy's `config_dump` of the called pod: what does its proxy, as it runs, make of the call?",
    )
    group.add_argument("--who-can-change", action="store_true", help="who may change the policies on this path (by RBAC of the input)")


def sections(
    options: argparse.Namespace, world: World, reading: Reading, found: Trace, arrivals: list[Arrived] | None
) -> tuple[Section, ...]:
    """What the options ask for, and the versions of Istio where the input says any."""
    out = [] if options.brief else _versions(world, found)
    if arrivals is not None:
        out.append(_proxy(options, world, reading, found, arrivals))
    if options.who_can_change:
        out.append(_changers(options, world, reading, found))
    return tuple(out)


def _versions(world: World, found: Trace) -> list[Section]:
    from meshcheck.explain.versions import versions_on
    from meshcheck.render.versions import versions_json, versions_markdown, versions_text

    known = versions_on(world, found)
    if not known:
        return []
    return [Section("versions", versions_json(known), lambda style: ("", versions_text(known, style)), lambda: versions_markdown(known))]


def _proxy(options: argparse.Namespace, world: World, reading: Reading, found: Trace, arrivals: list[Arrived]) -> Section:
    from meshcheck.cli.running_proxy import beside_call
    from meshcheck.render.proxy_json import proxy_json
    from meshcheck.render.proxy_text import proxy_markdown, proxy_text, proxy_warning

    comparison = beside_call(options, world, arrivals, found)

    def text(style: Style) -> tuple[str, str]:
        return proxy_warning(comparison, found, style), "\n" + proxy_text(comparison, reading.place, style, found)

    return Section("proxy", proxy_json(comparison, reading.place, found), text, lambda: proxy_markdown(comparison, reading.place, found))


def _changers(options: argparse.Namespace, world: World, reading: Reading, found: Trace) -> Section:
    from meshcheck.cli.sources import knows_rbac
    from meshcheck.decode.rbac import collect_rbac
    from meshcheck.explain.changers import changers_of
    from meshcheck.render.changers import changers_json, changers_markdown, changers_text
    from meshcheck.semantics.kubernetes_rbac.permissions import Permissions

    closed = knows_rbac(options, reading)
    objects = collect_rbac(reading.documents, options.namespace or "default", closed=closed)
    permissions = Permissions(objects, closed=closed, coverage=reading.coverage)
    changers = changers_of(found, permissions, _namespaces(found), world.mesh.root_namespace)

    def text(style: Style) -> tuple[str, str]:
        return "", "\n" + changers_text(changers, reading.place, style)

    return Section("who_can_change", changers_json(changers, reading.place), text, lambda: changers_markdown(changers, reading.place))


def _namespaces(found: Trace) -> list[str]:
    """The namespaces of the workloads at whose proxies or nodes the call is looked at."""
    named = [station.workload for hop in found.hops for station in hop.stations if station.workload]
    ends = [end for hop in found.hops for end in (hop.source, hop.target)]
    return list(dict.fromkeys(name.partition("/")[0] for name in (*named, *ends) if "/" in name and " " not in name))
