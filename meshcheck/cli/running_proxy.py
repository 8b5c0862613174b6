"""`--proxy-config`: the running proxy beside the manifests, for `trace` and `proxy`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from meshcheck.cli.login_options import login_of, login_words
from meshcheck.errors import UsageError

if TYPE_CHECKING:
    from meshcheck.model.proxy_config import RunningProxy
    from meshcheck.model.trace import Trace
    from meshcheck.semantics.running_proxy.comparison import Comparison
    from meshcheck.semantics.tracing.call import Arrived
    from meshcheck.semantics.world import World


def read_proxy(options: argparse.Namespace, name: str, near: str | None = None) -> RunningProxy:
    """The proxy of a file or a pod; `near` is the namespace of a pod that is named without one, where `-n` says nothing."""
    from meshcheck.decode.proxy_config.dump import proxy_of
    from meshcheck.load.proxy_dump import read_dump

    return proxy_of(read_dump(name, options.namespace or near, login_of(options), login_words(options, secrets=True)), name)


def beside_call(options: argparse.Namespace, world: World, arrivals: list[Arrived], found: Trace) -> Comparison:
    """The proxy that the options name, where a call meets it. A dump that does not say whose it is counts as the called workload's."""
    from meshcheck.semantics.running_proxy.comparison import compare_call, workload_of

    proxy = read_proxy(options, options.proxy_config, arrivals[0].workload.namespace if arrivals else None)
    workload = workload_of(world, proxy)
    if workload is None and not proxy.node and arrivals:
        workload = arrivals[0].workload
    if workload is None:
        raise UsageError(stranger(proxy))
    return compare_call(proxy, workload, arrivals, world, found)


def stranger(proxy: RunningProxy) -> str:
    """What to say of a proxy whose workload is not in the input."""
    if not proxy.node:
        return f"`{proxy.source}`: the configuration does not say whose proxy it is (no `bootstrap.node`); take all of `config_dump`"
    name = f"{proxy.namespace}/{proxy.workload or proxy.pod}"
    return f"`{proxy.source}` is the configuration of the proxy of `{name}`, and the input holds no such workload"
