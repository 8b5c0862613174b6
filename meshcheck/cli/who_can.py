"""`meshcheck who-can`: everybody who may send a request to the Kubernetes API; the same as `meshcheck can --who`."""

from __future__ import annotations

import argparse

from meshcheck.cli import can
from meshcheck.cli.command_parser import CommandParser
from meshcheck.cli.outputs import add_output_options
from meshcheck.cli.sources import add_source_options

_EXAMPLES = """\
examples:
  meshcheck who-can -f rbac.yaml get secrets -n shop
  meshcheck who-can -f rbac.yaml update authorizationpolicies.security.istio.io cart-viewer -n shop -o json
  kubectl get clusterroles,clusterrolebindings,roles,rolebindings -A -o yaml | meshcheck who-can -f - create pods/exec -n shop

exit status: 0 somebody may, 1 nobody but the masters of the cluster, 2 wrong use or unreadable input
"""


def parser() -> argparse.ArgumentParser:
    """The options of `who-can`."""
    p = CommandParser(
        prog="meshcheck who-can",
        description="List everybody whom RBAC lets send a request to the Kubernetes API, with the binding, the role and the rule.",
        epilog=_EXAMPLES,
    )
    p.add_argument("words", nargs="+", metavar="VERB RESOURCE [NAME]", help="or VERB /PATH, or METHOD URL")
    p.add_argument("-A", "--all-namespaces", action="store_true", help="in all namespaces at once")
    add_source_options(p, asks_for_others=True)
    add_output_options(p, ("text", "json", "jsonl"))
    p.set_defaults(who=True, user=None, groups=[], message=None, batch=None, brief=False)
    return p


def run(words: list[str]) -> int:
    """Run the command; returns the exit status."""
    return can.ask(parser().parse_intermixed_args(words))
