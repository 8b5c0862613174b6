"""`meshcheck proxy`: does a running proxy have what the manifests mean?"""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from meshcheck.cli.command_parser import CommandParser
from meshcheck.cli.outputs import add_output_options, outputs_of, write_outputs
from meshcheck.cli.sources import add_source_options, read_sources

if TYPE_CHECKING:
    from meshcheck.render.style import Style
    from meshcheck.render.trace_json import Locate
    from meshcheck.semantics.running_proxy.comparison import Comparison

_EXAMPLES = """\
examples:
  kubectl exec deploy/cart -n shop -c istio-proxy -- pilot-agent request GET config_dump > cart.json
  meshcheck proxy -f manifests/ cart.json
  meshcheck proxy -f manifests/ cart.json --port 8080 -o json
  meshcheck trace -f manifests/ --from shop/frontend --to http://cart.shop/ --proxy-config cart.json

Compared are, filter chain by filter chain, the rules of AuthorizationPolicies (with their content), issuers of tokens, the mTLS mode of
each port, and filters that are none of Istio's own. In place of a file a pod can be named (`shop/cart-7d`, `deploy/shop/cart`): its proxy
is then asked with `kubectl exec`, or, where that is not allowed or the image has no `pilot-agent`, through a port-forward to Envoy's
administration (the right for it is `create` on pods/portforward).

exit status: 0 nothing differs, 1 something differs, 2 wrong use or unreadable input
"""


def parser() -> argparse.ArgumentParser:
    """The options of `proxy`."""
    p = CommandParser(
        prog="meshcheck proxy",
        description="Say where a running sidecar differs from what the manifests mean for its workload.",
        epilog=_EXAMPLES,
    )
    p.add_argument("proxies", nargs="+", metavar="FILE|POD", help="Envoy's `config_dump`, `-` for standard input, or a pod: NAMESPACE/NAME")
    p.add_argument("--port", type=int, metavar="PORT", help="only this port of the workload")
    add_source_options(p)
    add_output_options(p, ("text", "json", "markdown"))
    return p


def run(words: list[str]) -> int:
    """Run the command; returns the exit status."""
    options = parser().parse_intermixed_args(words)
    outputs = outputs_of(options)
    from meshcheck.cli.running_proxy import read_proxy, stranger
    from meshcheck.cli.world import warn, world_of
    from meshcheck.errors import UsageError
    from meshcheck.semantics.running_proxy.comparison import compare, workload_of

    reading = read_sources(options)
    world = world_of(options, reading)
    warn(reading, world)
    found = []
    for name in options.proxies:
        proxy = read_proxy(options, name)
        workload = workload_of(world, proxy)
        if workload is None:
            raise UsageError(stranger(proxy))
        found.append(compare(world, proxy, workload, options.port))
    write_outputs(outputs, lambda form, style: _shown(form, style, found, reading.place), options.color)
    return 1 if any(comparison.differences for comparison in found) else 0


def _shown(form: str, style: Style, found: list[Comparison], locate: Locate) -> str:
    if form == "json":
        from meshcheck.render.proxy_json import SCHEMA, proxy_json

        values = {"schema": SCHEMA, "proxies": [proxy_json(comparison, locate) for comparison in found]}
        return json.dumps(values, ensure_ascii=False, indent=2) + "\n"
    from meshcheck.render.proxy_text import proxy_markdown, proxy_text

    if form == "markdown":
        return "".join(proxy_markdown(comparison, locate) for comparison in found)
    return "".join(proxy_text(comparison, locate, style) for comparison in found)
