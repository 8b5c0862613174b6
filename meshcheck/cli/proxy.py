"""`meshcheck proxy`: does a running proxy have what the manifests mean?"""

from __future__ import annotations

import argparse
import json
import sys

from meshcheck.cli.command_parser import CommandParser
from meshcheck.cli.sources import add_source_options, read_sources

_EXAMPLES = """\
examples:
  kubectl exec deploy/cart -n shop -c istio-proxy -- pilot-agent request GET config_dump > cart.json
  meshcheck proxy -f manifests/ cart.json
  meshcheck proxy -f manifests/ cart.json --port 8080 -o json
  meshcheck trace -f manifests/ --from shop/frontend --to http://cart.shop/ --proxy-config cart.json

Compared are, filter chain by filter chain, the rules of AuthorizationPolicies (with their content), issuers of tokens, the mTLS mode of
each port, and filters that are none of Istio's own. In place of a file a pod can be named: its proxy is then asked with `kubectl exec`.

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
    p.add_argument("-o", "--output", choices=("text", "json", "markdown"), default="text")
    p.add_argument("--color", choices=("auto", "always", "never"), default="auto")
    add_source_options(p)
    return p


def run(words: list[str]) -> int:
    """Run the command; returns the exit status."""
    options = parser().parse_intermixed_args(words)
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
    if options.output == "json":
        from meshcheck.render.proxy_json import SCHEMA, proxy_json

        print(json.dumps({"schema": SCHEMA, "proxies": [proxy_json(c, reading.place) for c in found]}, ensure_ascii=False, indent=2))
    else:
        from meshcheck.render.proxy_text import proxy_markdown, proxy_text
        from meshcheck.render.style import style_for

        style = style_for(sys.stdout, options.color)
        for comparison in found:
            text = (
                proxy_markdown(comparison, reading.place) if options.output == "markdown" else proxy_text(comparison, reading.place, style)
            )
            sys.stdout.write(text)
    return 1 if any(comparison.differences for comparison in found) else 0
