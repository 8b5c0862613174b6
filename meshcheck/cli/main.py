"""Entry point: picks the command and imports nothing that it does not need."""

from __future__ import annotations

import os
import sys

COMMANDS = {
    "trace": ("trace", "why is a call refused, and what would let it through?"),
    "why": ("trace", "the same as trace"),
    "graph": ("graph", "who calls whom, and who may"),
    "diff": ("diff", "which calls become allowed or denied when configuration changes?"),
    "lint": ("lint", "what a cluster would refuse, and what is probably not meant"),
    "job": ("job", "checks in the cluster, once or for ever: report, metrics, events"),
    "test": ("test", "do statements about who may call what hold, over all requests?"),
    "explain": ("explain", "the page of a rule of lint, and the list of all rules"),
    "snapshot": ("snapshot", "carry a cluster away in one file, without secrets"),
    "can": ("can", "why does the Kubernetes API refuse a request (RBAC)?"),
    "who-can": ("who_can", "who may send a request to the Kubernetes API?"),
    "proxy": ("proxy", "does a running sidecar have what the manifests mean?"),
    "completion": ("completion", "completion for bash, zsh, fish and kubectl"),
}

HELP = """\
usage: meshcheck COMMAND [options]        (or: kubectl meshcheck COMMAND [options])

Why does this call get a 403 (or 401, 404, 503, a reset, a timeout), and what change would let it through?

commands:
{commands}
first steps:
  meshcheck trace -f manifests/ --from shop/frontend --to http://cart.shop:8080/api/items -X DELETE
  meshcheck graph -f manifests/ -o mermaid

`meshcheck COMMAND --help` explains a command; `meshcheck --version` prints the version.
"""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    words = sys.argv[1:] if arguments is None else arguments
    if words[:1] == ["--version"] or words[:1] == ["version"]:
        from meshcheck import __version__

        print(f"meshcheck {__version__}")
        return 0
    if not words or words[0] in ("-h", "--help", "help"):
        listed = "".join(f"  {name:<12}{about}\n" for name, (_, about) in COMMANDS.items())
        print(HELP.format(commands=listed), end="")
        return 0 if words else 2
    if words[0] == "__complete":
        return _run("complete", words[1:])
    if words[0] not in COMMANDS:
        from difflib import get_close_matches

        near = get_close_matches(words[0], COMMANDS, 1)
        print(
            f"meshcheck: no command `{words[0]}`{f'; did you mean `{near[0]}`?' if near else ''} (see `meshcheck --help`)", file=sys.stderr
        )
        return 2
    return _run(COMMANDS[words[0]][0], words[1:])


def _run(module: str, words: list[str]) -> int:
    import gc
    from importlib import import_module

    from meshcheck.errors import MeshcheckError

    gc.set_threshold(200_000, 20, 20)  # a World is millions of objects that stay: looking through them again and again finds nothing
    try:
        status: int = import_module(f"meshcheck.cli.{module}").run(words)
        sys.stdout.flush()
        return status
    except MeshcheckError as error:
        print(f"meshcheck: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the reader has gone: nothing to say, nobody to say it to
        return 0
    except KeyboardInterrupt:
        print("meshcheck: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
