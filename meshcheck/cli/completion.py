"""`meshcheck completion`: scripts for bash, zsh, fish, and for kubectl."""

from __future__ import annotations

import argparse
import sys

from meshcheck.cli.command_parser import CommandParser

_EXAMPLES = """\
examples:
  source <(meshcheck completion bash)                               in ~/.bashrc
  source <(meshcheck completion zsh)                                in ~/.zshrc, behind `compinit`
  meshcheck completion fish > ~/.config/fish/completions/meshcheck.fish
  meshcheck completion kubectl > ~/.local/bin/kubectl_complete-meshcheck && chmod +x ~/.local/bin/kubectl_complete-meshcheck

Names of objects come from the files that the line gives (`-f`), or from the cluster. For `kubectl meshcheck` kubectl's own completion asks
`kubectl_complete-meshcheck`, which pip installs beside meshcheck; the last example is for other ways of installing.
"""


def parser() -> argparse.ArgumentParser:
    """The options of `completion`."""
    p = CommandParser(
        prog="meshcheck completion",
        description="Print a script that completes commands, options and names of objects.",
        epilog=_EXAMPLES,
    )
    p.add_argument("shell", metavar="SHELL", choices=("bash", "zsh", "fish", "kubectl"), help="bash, zsh, fish or kubectl")
    return p


def run(words: list[str]) -> int:
    """Print a script."""
    from meshcheck.cli.completing import scripts

    options = parser().parse_args(words)
    sys.stdout.write(getattr(scripts, options.shell.upper()))
    return 0
