"""Entry point: picks the command and imports nothing that it does not need."""

from __future__ import annotations

import errno
import os
import sys

_ENDED_BY_PIPE = 141
"""As shells say that SIGPIPE ended a program; 0 would say `allowed`."""
COMMANDS = {
    "trace": ("trace", "why is a call refused, and what would let it through?"),
    "why": ("trace", "the same as trace"),
    "graph": ("graph", "who calls whom, and who may; `--exposed`: every way in from outside"),
    "lint": ("lint", "what a cluster would refuse, and what is probably not meant"),
    "explain": ("explain", "the page of a rule of lint, and the list of all rules"),
    "test": ("test", "do statements about who may call what hold, over all requests?"),
    "diff": ("diff", "which calls become allowed or denied when configuration changes?"),
    "can": ("can", "why does the Kubernetes API refuse a request (RBAC)?"),
    "who-can": ("who_can", "who may send a request to the Kubernetes API?"),
    "proxy": ("proxy", "does a running sidecar have what the manifests mean?"),
    "snapshot": ("snapshot", "carry a cluster away in one file, without secrets"),
    "job": ("job", "checks in the cluster, once or for ever: report, metrics, events"),
    "completion": ("completion", "completion for bash, zsh, fish and kubectl"),
}

HELP = """\
usage: meshcheck COMMAND [options]        (or: kubectl meshcheck COMMAND [options])

Why does this call get a 403 (or 401, 404, 503, a reset, a timeout), and what change would let it through?

commands:
{commands}
first steps:
  meshcheck trace -f manifests/ --from shop/frontend --to http://cart.shop:8080/api/items -X DELETE
  meshcheck graph -f manifests/ --exposed
  meshcheck lint -f manifests/

Without `-f` and the like the live cluster is read, as kubectl does. `meshcheck COMMAND --help` explains a command, with examples;
`meshcheck --version` prints the version.
"""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    try:
        return _main(sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:
        print("meshcheck: interrupted", file=sys.stderr)
        return 130


def _main(words: list[str]) -> int:
    if words[:1] == ["--version"] or words[:1] == ["version"]:
        from meshcheck import __version__

        print(f"meshcheck {__version__}")
        return 0
    if words[:1] == ["help"] and words[1:2] and words[1] in COMMANDS:
        words = [words[1], "--help"]
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
    import atexit
    import gc
    from importlib import import_module

    from meshcheck.errors import MeshcheckError

    gc.set_threshold(200_000, 20, 20)  # a World is millions of objects that stay: looking through them again and again finds nothing
    atexit.register(gc.freeze)  # nor does looking through them at the end
    _settle_streams()
    status = None
    try:
        status = int(import_module(f"meshcheck.cli.{module}").run(words))
        sys.stdout.flush()
        return status
    except MeshcheckError as error:
        print(f"meshcheck: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        _leave_stdout()  # the reader has gone: nothing to say, nobody to say it to
        return _ENDED_BY_PIPE if status is None else status
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EIO):
            raise
        _leave_stdout()
        print(f"meshcheck: standard output cannot be written: {(error.strerror or str(error)).lower()}", file=sys.stderr)
        return 2


def _settle_streams() -> None:
    """Streams that can be used, whatever they were started with: closed ones are empty, and what cannot be encoded is replaced."""
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115 it stays open as long as the program runs
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 see above
        elif getattr(stream, "errors", "") == "strict":
            stream.reconfigure(errors="replace")


def _leave_stdout() -> None:
    """What is left to be written goes nowhere, so that nothing complains about it at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


if __name__ == "__main__":
    sys.exit(main())
